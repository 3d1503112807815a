/** What RTCP reports about a received stream: loss (RFC 3550 A.3) and interarrival jitter (A.8). */
import { sequenceDistance, timestampDistance } from './sequence-number';

const MAX_DROPOUT_PACKETS = 3000;
const MAX_MISORDER_PACKETS = 100;

export interface ReceptionReportBlock {
  readonly ssrc: number;
  /** 0..255, of the interval since the last report. */
  readonly fractionLost: number;
  readonly totalLost: number;
  readonly highestSequenceNumber: number;
  /** Clock ticks. */
  readonly jitter: number;
}

export class ReceptionStats {
  #clockRateHz = 0;
  #ssrc: number | null = null;
  #base = 0;
  /** Extended: cycles ‖ sequence number. */
  #highest = 0;
  #received = 0;
  #badSequence = -1;
  #transit: number | null = null;
  #jitter = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  /** Of streams before the present SSRC. */
  #earlierExpected = 0;
  #earlierReceived = 0;

  /** What the timestamps of the packets count from now on. */
  useClock(clockRateHz: number): void {
    if (clockRateHz === this.#clockRateHz) return;
    this.#clockRateHz = clockRateHz;
    this.#transit = null;
    this.#jitter = 0;
  }

  get packetsReceived(): number {
    return this.#earlierReceived + this.#received;
  }

  get packetsExpected(): number {
    return this.#earlierExpected + this.#expected();
  }

  get packetsLost(): number {
    return Math.max(0, this.packetsExpected - this.packetsReceived);
  }

  get jitterMs(): number {
    return this.#jitter === 0 ? 0 : (this.#jitter / this.#clockRateHz) * 1000;
  }

  /** `timestamp` is null for packets whose timestamp does not tell when they were sent (telephone-event). */
  update(ssrc: number, sequenceNumber: number, timestamp: number | null, arrivalMs: number): void {
    if (ssrc !== this.#ssrc) this.#start(ssrc, sequenceNumber);
    else this.#advance(sequenceNumber);
    this.#received++;
    if (timestamp === null) return;
    const transit = (Math.round((arrivalMs * this.#clockRateHz) / 1000) - timestamp) | 0;
    if (this.#transit !== null) {
      const deviation = Math.abs(timestampDistance(this.#transit, transit));
      // A jump of the sender's clock is not jitter.
      if (deviation < this.#clockRateHz) this.#jitter += (deviation - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  /** The block of the next report, null before anything was received. */
  report(): ReceptionReportBlock | null {
    if (this.#ssrc === null) return null;
    const expected = this.#expected();
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.#received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#received;
    const fractionLost =
      expectedInterval <= 0 || lostInterval <= 0
        ? 0
        : Math.min(255, Math.floor((lostInterval * 256) / expectedInterval));
    return {
      ssrc: this.#ssrc,
      fractionLost,
      totalLost: Math.max(-0x800000, Math.min(0x7fffff, expected - this.#received)),
      highestSequenceNumber: this.#highest % 4294967296,
      jitter: Math.floor(this.#jitter),
    };
  }

  #expected(): number {
    return this.#ssrc === null ? 0 : this.#highest - this.#base + 1;
  }

  #start(ssrc: number, sequenceNumber: number): void {
    this.#earlierExpected += this.#expected();
    this.#earlierReceived += this.#received;
    this.#ssrc = ssrc;
    this.#base = sequenceNumber;
    this.#highest = sequenceNumber;
    this.#received = 0;
    this.#badSequence = -1;
    this.#transit = null;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
  }

  #advance(sequenceNumber: number): void {
    const ahead = sequenceDistance(this.#highest & 0xffff, sequenceNumber);
    if (ahead > -MAX_MISORDER_PACKETS && ahead < MAX_DROPOUT_PACKETS) {
      if (ahead > 0) this.#highest += ahead;
      this.#badSequence = -1;
      return;
    }
    // Two packets in a row beyond the jump: the sender restarted its numbers (RFC 3550 A.1).
    if (sequenceNumber === this.#badSequence) {
      const ssrc = this.#ssrc as number;
      this.#start(ssrc, sequenceNumber);
    } else {
      this.#badSequence = (sequenceNumber + 1) & 0xffff;
    }
  }
}
