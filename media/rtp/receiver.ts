/** The receiving half of a session: source lock → reception statistics → DTMF or jitter buffer → playout. */
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../audio/audio-batch';
import { DelayEstimator } from './delay-estimator';
import { DtmfReceiver } from './dtmf-receiver';
import { JitterBuffer } from './jitter-buffer';
import { RtpPacketView, readRtpPacket } from './packet';
import { Playout } from './playout';
import { ReceptionStats } from './reception-stats';
import { SourceLock } from './source-lock';

import type { G711Law } from '../codec/g711';

/** Static payload types (RFC 3551 §6) are understood whatever was negotiated: some peers change law in mid-call. */
const PCMU_PAYLOAD_TYPE = 0;
const PCMA_PAYLOAD_TYPE = 8;
/** One event, and as many as redundancy repeats (RFC 4733 §2.6); less than 2 ms of audio. */
const MAX_EVENT_BYTES = 12;

export interface ReceiverCodec {
  readonly law: G711Law;
  readonly payloadType: number;
  /** Telephone-event's number in the peer's SDP, and in ours. */
  readonly telephoneEventPayloadType: number | null;
  readonly localTelephoneEventPayloadType: number | null;
}

export class Receiver {
  readonly source = new SourceLock();
  readonly stats = new ReceptionStats(SAMPLE_RATE_HZ);
  readonly #view = new RtpPacketView();
  readonly #buffer: JitterBuffer;
  readonly #playout: Playout;
  readonly #dtmf: DtmfReceiver;
  #codec: ReceiverCodec = {
    law: 'PCMU',
    payloadType: PCMU_PAYLOAD_TYPE,
    telephoneEventPayloadType: null,
    localTelephoneEventPayloadType: null,
  };
  #late = 0;
  #ssrc: number | null = null;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.#dtmf = new DtmfReceiver(SAMPLE_RATE_HZ, onDigit);
    this.#buffer = new JitterBuffer({
      clockRateHz: SAMPLE_RATE_HZ,
      frameTicks: FRAME_SAMPLES,
      estimator: new DelayEstimator(),
    });
    this.#playout = new Playout(this.#buffer);
  }

  get packetsLate(): number {
    return this.#late;
  }

  get framesHeard(): number {
    return this.#playout.framesHeard;
  }

  get delayMs(): number {
    return this.#buffer.delayMs;
  }

  setCodec(codec: ReceiverCodec): void {
    this.#codec = codec;
  }

  /** True when the packet was the peer's: it counts as life. */
  receive(bytes: Uint8Array, address: string, port: number, nowMs: number): boolean {
    const view = this.#view;
    if (!readRtpPacket(bytes, view)) return false;
    const { ssrc, sequenceNumber, timestamp, payloadType } = view;
    if (!this.source.accept(address, port, ssrc, sequenceNumber, nowMs)) return false;
    if (this.#isTelephoneEvent(view)) {
      // Some send events as a stream of their own beside the audio, whose figures go on.
      if (ssrc === (this.#ssrc ?? ssrc)) this.stats.update(ssrc, sequenceNumber, null, nowMs);
      this.#dtmf.receive(view, bytes, nowMs);
      return true;
    }
    if (ssrc !== this.#ssrc) {
      if (this.#ssrc !== null) this.#playout.reset();
      this.#ssrc = ssrc;
    }
    const audio = this.#lawOf(payloadType) !== null;
    this.stats.update(ssrc, sequenceNumber, audio ? timestamp : null, nowMs);
    // A payload type nobody negotiated: alive, but not to be heard.
    if (!audio) return true;
    // Of G.711 one octet is one tick of the clock.
    const ticks = view.payloadBytes;
    if (ticks === 0) return true;
    const outcome = this.#buffer.insert(timestamp, ticks, payloadType, bytes, view.payloadOffset, ticks, nowMs);
    if (outcome === 'late' || outcome === 'overflow') this.#late++;
    return true;
  }

  /** The next 20 ms of the peer's audio; true when they were received. */
  frame(out: Int16Array, nowMs: number): boolean {
    this.#dtmf.poll(nowMs);
    return this.#playout.frame(out, this.#law, nowMs);
  }

  readonly #law = (payloadType: number): G711Law => this.#lawOf(payloadType) ?? this.#codec.law;

  #lawOf(payloadType: number): G711Law | null {
    if (payloadType === this.#codec.payloadType) return this.#codec.law;
    if (payloadType === PCMU_PAYLOAD_TYPE) return 'PCMU';
    if (payloadType === PCMA_PAYLOAD_TYPE) return 'PCMA';
    return null;
  }

  /**
   * The peer should send with the number of our SDP, and some send with that of their own (RFC 3264 §5.1, §6.1). Where
   * ours is the peer's number for audio, the size tells.
   */
  #isTelephoneEvent({ payloadType, payloadBytes }: RtpPacketView): boolean {
    const codec = this.#codec;
    if (payloadType === codec.telephoneEventPayloadType) return true;
    if (payloadType !== codec.localTelephoneEventPayloadType) return false;
    return payloadType !== codec.payloadType || payloadBytes <= MAX_EVENT_BYTES;
  }
}
