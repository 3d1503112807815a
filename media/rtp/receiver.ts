/** The receiving half of a session: source lock → reception statistics → DTMF or jitter buffer → playout. */
import { codecOfStaticType } from '../codec/rtp-format';
import { DelayEstimator } from './delay-estimator';
import { DtmfReceiver } from './dtmf-receiver';
import { JitterBuffer } from './jitter-buffer';
import { RtpPacketView, readRtpPacket } from './packet';
import { Playout } from './playout';
import { ReceptionStats } from './reception-stats';
import { SourceLock } from './source-lock';

import type { AudioCodec } from '../../contract/audio-codecs';
import type { Codec } from '../codec/codec';

/** One event, and as many as redundancy repeats (RFC 4733 §2.6); less than codecs make of a frame. */
const MAX_EVENT_BYTES = 12;

export interface ReceivedFormats {
  readonly codec: Codec;
  readonly payloadType: number;
  /** Telephone-event's number in the peer's SDP, and in ours. */
  readonly telephoneEventPayloadType: number | null;
  readonly localTelephoneEventPayloadType: number | null;
  readonly telephoneEventClockRateHz: number;
}

interface ReceiverOptions {
  /** One that gives the graph's rate. */
  readonly createCodec: (name: AudioCodec) => Codec;
  readonly onDigit: (digit: string, durationMs: number) => void;
}

/** What reads one clock's time line. */
interface Reading {
  readonly clockRateHz: number;
  readonly buffer: JitterBuffer;
  readonly playout: Playout;
}

export class Receiver {
  readonly source = new SourceLock();
  readonly stats = new ReceptionStats();
  readonly #view = new RtpPacketView();
  readonly #options: ReceiverOptions;
  /** Of static payload types that the peer sends beside what was agreed on. */
  readonly #others = new Map<AudioCodec, Codec>();
  #formats: ReceivedFormats | null = null;
  #reading: Reading | null = null;
  /** By clocks before the present one. */
  #framesHeardEarlier = 0;
  #dtmf: DtmfReceiver | null = null;
  #late = 0;
  #ssrc: number | null = null;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get packetsLate(): number {
    return this.#late;
  }

  get framesHeard(): number {
    return this.#framesHeardEarlier + (this.#reading?.playout.framesHeard ?? 0);
  }

  /** The last frame was more than silence. */
  get heard(): boolean {
    return this.#reading?.playout.heard ?? false;
  }

  get delayMs(): number {
    return this.#reading?.buffer.delayMs ?? 0;
  }

  setFormats(formats: ReceivedFormats): void {
    this.#formats = formats;
    const { codec, telephoneEventClockRateHz } = formats;
    this.stats.useClock(codec.clockRateHz);
    if (this.#reading?.clockRateHz !== codec.clockRateHz) {
      this.#framesHeardEarlier = this.framesHeard;
      this.#reading = readingOf(codec);
    }
    if (this.#dtmf?.clockRateHz !== telephoneEventClockRateHz) {
      this.#dtmf = new DtmfReceiver(telephoneEventClockRateHz, this.#options.onDigit);
    }
  }

  /** True when the packet was the peer's: it counts as life. */
  receive(bytes: Uint8Array, address: string, port: number, nowMs: number): boolean {
    const view = this.#view;
    const formats = this.#formats;
    const reading = this.#reading;
    if (formats === null || reading === null || !readRtpPacket(bytes, view)) return false;
    const { ssrc, sequenceNumber, timestamp, payloadType } = view;
    if (!this.source.accept(address, port, ssrc, sequenceNumber, nowMs)) return false;
    if (isTelephoneEvent(view, formats)) {
      // Some send events as a stream of their own beside the audio, whose figures go on.
      if (ssrc === (this.#ssrc ?? ssrc)) this.stats.update(ssrc, sequenceNumber, null, nowMs);
      this.#dtmf?.receive(view, bytes, nowMs);
      return true;
    }
    if (ssrc !== this.#ssrc) {
      if (this.#ssrc !== null) reading.playout.reset();
      this.#ssrc = ssrc;
    }
    const codec = this.#codecOf(payloadType);
    this.stats.update(ssrc, sequenceNumber, codec === null ? null : timestamp, nowMs);
    // A payload type nobody negotiated: alive, but not to be heard.
    if (codec === null) return true;
    const { payloadOffset, payloadBytes } = view;
    const ticks = codec.ticksOf(payloadBytes);
    if (ticks === 0) return true;
    const outcome = reading.buffer.insert(timestamp, ticks, payloadType, bytes, payloadOffset, payloadBytes, nowMs);
    if (outcome === 'late' || outcome === 'overflow') this.#late++;
    return true;
  }

  /** The next 20 ms of the peer's audio; true when they were received. */
  frame(out: Int16Array, nowMs: number): boolean {
    const reading = this.#reading;
    if (reading === null) return false;
    this.#dtmf?.poll(nowMs);
    return reading.playout.frame(out, this.#decoderOf, nowMs);
  }

  /** Of a packet that was let in: its type may have lost its meaning since. */
  readonly #decoderOf = (payloadType: number): Codec =>
    this.#codecOf(payloadType) ?? (this.#formats as ReceivedFormats).codec;

  /**
   * Static payload types (RFC 3551 §6) are understood whatever was agreed on: some peers change law in mid-call. Not those of
   * another clock: their timestamps have no place on this time line.
   */
  #codecOf(payloadType: number): Codec | null {
    const { codec, payloadType: agreed } = this.#formats as ReceivedFormats;
    if (payloadType === agreed) return codec;
    const name = codecOfStaticType(payloadType);
    if (name === null) return null;
    if (name === codec.name) return codec;
    let other = this.#others.get(name);
    if (other === undefined) {
      other = this.#options.createCodec(name);
      this.#others.set(name, other);
    }
    return other.clockRateHz === codec.clockRateHz ? other : null;
  }
}

function readingOf(codec: Codec): Reading {
  const { clockRateHz, frameTicks } = codec;
  const buffer = new JitterBuffer({ clockRateHz, frameTicks, estimator: new DelayEstimator() });
  return { clockRateHz, buffer, playout: new Playout(buffer, codec) };
}

/**
 * The peer should send with the number of our SDP, and some send with that of their own (RFC 3264 §5.1, §6.1). Where
 * ours is the peer's number for audio, the size tells.
 */
function isTelephoneEvent({ payloadType, payloadBytes }: RtpPacketView, formats: ReceivedFormats): boolean {
  if (payloadType === formats.telephoneEventPayloadType) return true;
  if (payloadType !== formats.localTelephoneEventPayloadType) return false;
  return payloadType !== formats.payloadType || payloadBytes <= MAX_EVENT_BYTES;
}
