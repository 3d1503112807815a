/**
 * Decides which packets belong to a session, before anything else looks at them.
 *
 *   open ──packet from the SDP's address and port──────────────────────────────► locked
 *   open ──4 in-sequence packets of one SSRC from the SDP's or signalling host──► locked
 *   locked ──same host, other port, same SSRC, continuing sequence, ≥ 4 packets,
 *            old source silent ≥ 500 ms─────────────────────────────────────────► locked (new port)
 *   any ──new SDP address──► open
 *
 * Everything else is foreign: counted and dropped.
 */
import { sequenceDistance } from './sequence-number';

const PROBATION_PACKETS = 4;
const RELATCH_SILENCE_MS = 500;
/** A continuing sequence cannot have advanced further than 10 ms packets would, plus some slack. */
const CONTINUING_SLACK_PACKETS = 50;
const SHORTEST_PACKET_MS = 10;

export interface ExpectedSource {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly signallingAddress: string;
}

export class SourceLock {
  #expected: ExpectedSource | null = null;
  #address: string | null = null;
  #port = 0;
  #ssrc = 0;
  #sequenceNumber = 0;
  #lastMs = 0;
  #foreign = 0;

  #candidateAddress = '';
  #candidatePort = 0;
  #candidateSsrc = 0;
  #candidateSequenceNumber = 0;
  #candidatePackets = 0;

  get locked(): boolean {
    return this.#address !== null;
  }

  /** Learned host of the peer's RTP, null before any was accepted. */
  get address(): string | null {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  get foreignPackets(): number {
    return this.#foreign;
  }

  /** A (new) SDP. The lock is kept when the SDP names the same address again. */
  expect(expected: ExpectedSource): void {
    const before = this.#expected;
    this.#expected = expected;
    if (before?.address === expected.address && before.port === expected.port) return;
    this.#address = null;
    this.#dropCandidate();
  }

  /** Whether an RTP packet may be used. */
  accept(address: string, port: number, ssrc: number, sequenceNumber: number, nowMs: number): boolean {
    if (this.#address !== null) {
      if (port === this.#port && address === this.#address) {
        this.#follow(ssrc, sequenceNumber, nowMs);
        return true;
      }
      if (!this.#mayRelatch(address, port, ssrc, sequenceNumber, nowMs)) return this.#refuse();
    } else {
      const expected = this.#expected;
      // Nobody can be answered on port 0.
      if (expected === null || port === 0) return this.#refuse();
      if (address === expected.address && port === expected.port) {
        this.#lock(address, port, ssrc, sequenceNumber, nowMs);
        return true;
      }
      if (address !== expected.address && address !== expected.signallingAddress) return this.#refuse();
    }
    if (!this.#passesProbation(address, port, ssrc, sequenceNumber)) return false;
    this.#lock(address, port, ssrc, sequenceNumber, nowMs);
    return true;
  }

  /** Whether an RTCP packet of the sender `ssrc` may be used: the peer's host, and its control port or its SSRC. */
  acceptRtcp(address: string, port: number, ssrc: number): boolean {
    const expected = this.#expected;
    if (expected !== null) {
      if (this.#address === null) {
        if (address === expected.address && port === expected.rtcpPort) return true;
      } else if (address === this.#address) {
        const known = port === this.#port + 1 || port === this.#port || port === expected.rtcpPort;
        if (known || ssrc === this.#ssrc) return true;
      }
    }
    return this.#refuse();
  }

  #mayRelatch(address: string, port: number, ssrc: number, sequenceNumber: number, nowMs: number): boolean {
    const silentMs = nowMs - this.#lastMs;
    if (address !== this.#address || port === 0) return false;
    if (ssrc !== this.#ssrc || silentMs < RELATCH_SILENCE_MS) return false;
    const ahead = sequenceDistance(this.#sequenceNumber, sequenceNumber);
    return ahead > 0 && ahead <= silentMs / SHORTEST_PACKET_MS + CONTINUING_SLACK_PACKETS;
  }

  #passesProbation(address: string, port: number, ssrc: number, sequenceNumber: number): boolean {
    const continues =
      this.#candidatePackets > 0 &&
      address === this.#candidateAddress &&
      port === this.#candidatePort &&
      ssrc === this.#candidateSsrc &&
      sequenceDistance(this.#candidateSequenceNumber, sequenceNumber) === 1;
    if (!continues) {
      this.#dropCandidate();
      this.#candidateAddress = address;
      this.#candidatePort = port;
      this.#candidateSsrc = ssrc;
    }
    this.#candidateSequenceNumber = sequenceNumber;
    this.#candidatePackets++;
    return this.#candidatePackets >= PROBATION_PACKETS;
  }

  #lock(address: string, port: number, ssrc: number, sequenceNumber: number, nowMs: number): void {
    this.#address = address;
    this.#port = port;
    this.#candidatePackets = 0;
    this.#follow(ssrc, sequenceNumber, nowMs);
  }

  #follow(ssrc: number, sequenceNumber: number, nowMs: number): void {
    this.#ssrc = ssrc;
    this.#sequenceNumber = sequenceNumber;
    this.#lastMs = nowMs;
    if (this.#candidatePackets > 0) this.#dropCandidate();
  }

  #dropCandidate(): void {
    this.#foreign += this.#candidatePackets;
    this.#candidatePackets = 0;
  }

  #refuse(): false {
    this.#foreign++;
    return false;
  }
}
