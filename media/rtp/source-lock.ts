/**
 * Decides which packets belong to a session, before anything else looks at them.
 *
 *   open ──packet from the SDP's address and port──────────────────────────────► locked
 *   open ──4 in-sequence packets of one SSRC from the SDP's or signalling host──► locked
 *          (or from any other that may be learned)
 *   locked ──same host, other port, same SSRC, continuing sequence, ≥ 4 packets,
 *            old source silent ≥ 500 ms─────────────────────────────────────────► locked (new port)
 *   locked ──packet from the SDP's address and port────────────────────────────► locked (there)
 *   locked elsewhere for under half a second, then silent as long ──as when open► locked (new source)
 *   any ──new SDP address──► open
 *
 * So the SDP's own address and port wins whenever it speaks, whoever was learned before. Everything else is foreign:
 * counted and dropped. RTCP is believed by the same rule, and ours goes back to where it comes from. Before the first SDP
 * packets are dropped without being foreign: a carrier's ringing tone and announcements come while nobody is known yet.
 */
import { sequenceDistance } from './sequence-number';

const PROBATION_PACKETS = 4;
const RELATCH_SILENCE_MS = 500;
/** Half a second of audio: who has said less from another port than the SDP's shuts nobody out by it. */
const BRIEF_PACKETS = 25;
/** A continuing sequence cannot have advanced further than 10 ms packets would, plus some slack. */
const CONTINUING_SLACK_PACKETS = 50;
const SHORTEST_PACKET_MS = 10;
/** Well before anybody else may be learned, everybody is listened to again. */
const STEADY_SILENCE_MS = RELATCH_SILENCE_MS - 200;
/** Two reports missed: they come every 2.5 to 7.5 s (RFC 3550 §6.2). */
const RTCP_SILENCE_MS = 15_000;

export interface ExpectedSource {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly signallingAddress: string;
  /** Whether yet another host may be learned; default: none. */
  readonly mayLearn?: ((address: string) => boolean) | undefined;
}

export class SourceLock {
  #expected: ExpectedSource | null = null;
  #address: string | null = null;
  #port = 0;
  #ssrc = 0;
  #sequenceNumber = 0;
  #lastMs = 0;
  /** Taken since it was locked. */
  #packets = 0;
  #foreign = 0;

  #rtcpAddress: string | null = null;
  #rtcpPort = 0;
  #rtcpMs = 0;

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

  /** Where the peer's RTCP comes from, null before any was accepted. */
  get rtcpAddress(): string | null {
    return this.#rtcpAddress;
  }

  get rtcpPort(): number {
    return this.#rtcpPort;
  }

  get foreignPackets(): number {
    return this.#foreign;
  }

  /**
   * The peer speaks from where its SDP says: whatever else may come is foreign, and need not be seen. Not while it is
   * silent, since then it may have moved, nor where it was learned, since then the SDP's own would win.
   */
  isSteady(nowMs: number): boolean {
    const expected = this.#expected;
    if (expected === null || this.#address === null || nowMs - this.#lastMs >= STEADY_SILENCE_MS) return false;
    return this.#port === expected.port && this.#address === expected.address;
  }

  /** A (new) SDP. The lock is kept when the SDP names the same address again. */
  expect(expected: ExpectedSource): void {
    const before = this.#expected;
    this.#expected = expected;
    if (before?.rtcpPort !== expected.rtcpPort) this.#rtcpAddress = null;
    if (before?.address === expected.address && before.port === expected.port) return;
    this.#address = null;
    this.#rtcpAddress = null;
    this.#dropCandidate();
  }

  /** Whether an RTP packet may be used. */
  accept(address: string, port: number, ssrc: number, sequenceNumber: number, nowMs: number): boolean {
    if (this.#address !== null) {
      if (port === this.#port && address === this.#address) {
        this.#follow(ssrc, sequenceNumber, nowMs);
        return true;
      }
    }
    const expected = this.#expected;
    if (expected === null) return false;
    // Nobody can be answered on port 0.
    if (port === 0) return this.#refuse();
    if (address === expected.address && port === expected.port) {
      this.#lock(address, port, ssrc, sequenceNumber, nowMs);
      return true;
    }
    const known =
      address === expected.address || address === expected.signallingAddress || expected.mayLearn?.(address) === true;
    const may =
      this.#address === null || this.#wasBrief(expected, nowMs)
        ? known
        : this.#mayRelatch(address, ssrc, sequenceNumber, nowMs);
    if (!may) return this.#refuse();
    if (!this.#passesProbation(address, port, ssrc, sequenceNumber)) return false;
    this.#lock(address, port, ssrc, sequenceNumber, nowMs);
    return true;
  }

  /**
   * Whether an RTCP packet of the sender `ssrc` may be used: the SDP's own address and control port, or the host of the
   * peer's RTP and its control port or its SSRC. The way back follows the SDP's own at once, another when the one
   * before has missed its reports.
   */
  acceptRtcp(address: string, port: number, ssrc: number, nowMs: number): boolean {
    const expected = this.#expected;
    if (expected === null) return false;
    if (port === 0) return this.#refuse();
    const own = address === expected.address && port === expected.rtcpPort;
    if (!own) {
      if (this.#address === null || address !== this.#address) return this.#refuse();
      const known = port === this.#port + 1 || port === this.#port || port === expected.rtcpPort;
      if (!known && ssrc !== this.#ssrc) return this.#refuse();
    }
    const silent = this.#rtcpAddress === null || nowMs - this.#rtcpMs >= RTCP_SILENCE_MS;
    if (own || silent) {
      this.#rtcpAddress = address;
      this.#rtcpPort = port;
    }
    if (address === this.#rtcpAddress && port === this.#rtcpPort) this.#rtcpMs = nowMs;
    return true;
  }

  /** Behind a NAT the SDP's own port never speaks, so the first few packets of any other must not decide the call. */
  #wasBrief(expected: ExpectedSource, nowMs: number): boolean {
    if (this.#packets > BRIEF_PACKETS || nowMs - this.#lastMs < RELATCH_SILENCE_MS) return false;
    return this.#address !== expected.address || this.#port !== expected.port;
  }

  #mayRelatch(address: string, ssrc: number, sequenceNumber: number, nowMs: number): boolean {
    const silentMs = nowMs - this.#lastMs;
    if (address !== this.#address || ssrc !== this.#ssrc || silentMs < RELATCH_SILENCE_MS) return false;
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
    this.#rtcpAddress = null;
    this.#address = address;
    this.#port = port;
    this.#candidatePackets = 0;
    this.#packets = 0;
    this.#follow(ssrc, sequenceNumber, nowMs);
  }

  #follow(ssrc: number, sequenceNumber: number, nowMs: number): void {
    this.#ssrc = ssrc;
    this.#sequenceNumber = sequenceNumber;
    this.#lastMs = nowMs;
    this.#packets++;
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
