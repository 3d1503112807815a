/**
 * The sending half of a session: one packet per frame with continuous timestamps, of what its sources have, or silence.
 * Sequence number, timestamp and SSRC start at random (RFC 3550 §5.1).
 */
import { fewRandomBytes } from '../../ops/random-bytes';
import { FRAME_MS, GRAPH_FRAME_SAMPLES } from '../audio/frame';
import { DtmfSender, TELEPHONE_EVENT_BYTES } from './dtmf-sender';
import { FrameSources } from './frame-sources';
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet';

import type { Codec } from '../codec/codec';

/**
 * A datagram the kernel cannot take at once stays referenced by the socket, so that a packet's memory is not written
 * again before its successors had theirs.
 */
const BUFFERS = 4;
const SILENCE = new Int16Array(GRAPH_FRAME_SAMPLES);

export type SendPacket = (packet: Uint8Array) => void;

export interface SentFormats {
  readonly codec: Codec;
  readonly payloadType: number;
  /** For keys; null where the peer takes none. */
  readonly telephoneEventPayloadType: number | null;
  readonly telephoneEventClockRateHz: number;
}

/** One buffer, as the two packets that may stand in it. */
interface PacketBuffer {
  readonly audio: Uint8Array;
  readonly event: Uint8Array;
}

export class Transmitter {
  readonly sources: FrameSources;
  readonly keys = new DtmfSender();
  readonly ssrc: number;
  readonly #send: SendPacket;
  #formats: SentFormats | null = null;
  #buffers: readonly PacketBuffer[] = [];
  #frame: Int16Array = SILENCE;
  #turn = 0;
  #sequenceNumber: number;
  #timestamp: number;
  #sounding = false;
  #packets = 0;
  #octets = 0;
  #lastSentMs: number | null = null;
  #maxGapMs = 0;

  constructor(options: { readonly send: SendPacket; readonly onPlaybackFinished: (playbackId: number) => void }) {
    this.#send = options.send;
    this.sources = new FrameSources(options.onPlaybackFinished);
    const random = fewRandomBytes(10);
    this.ssrc = random.readUInt32BE(0);
    this.#timestamp = random.readUInt32BE(4);
    this.#sequenceNumber = random.readUInt16BE(8);
  }

  /** What the last frame carried but for who joins in, before its encoding; valid until the next. */
  get pcm(): Int16Array {
    return this.#frame;
  }

  get packetsSent(): number {
    return this.#packets;
  }

  get octetsSent(): number {
    return this.#octets;
  }

  get maxSendGapMs(): number {
    return this.#maxGapMs;
  }

  setFormats(formats: SentFormats): void {
    if (formats.codec.frameBytes !== this.#formats?.codec.frameBytes) {
      this.#buffers = Array.from({ length: BUFFERS }, () => packetBuffer(formats.codec.frameBytes));
    }
    this.#formats = formats;
  }

  /** RTP timestamp that corresponds to `nowMs`, for sender reports. */
  timestampAt(nowMs: number): number {
    const sinceMs = this.#lastSentMs === null ? FRAME_MS : nowMs - this.#lastSentMs;
    return (this.#timestamp + Math.round(((sinceMs - FRAME_MS) * this.#frameTicks) / FRAME_MS)) >>> 0;
  }

  /**
   * One frame on our schedule, once the formats are set. Keys that are pressed go first, and what plays waits for them;
   * it also does with `wait`. With `send` false the clock alone goes on.
   */
  frame(send: boolean, wait: boolean, nowMs: number): void {
    const formats = this.#formats as SentFormats;
    this.#frame = SILENCE;
    if (!send) {
      this.#advance();
      this.sources.rest();
      this.#sounding = false;
      this.#lastSentMs = null;
      return;
    }
    const { audio, event } = this.#buffers[this.#turn] as PacketBuffer;
    this.#turn = (this.#turn + 1) % BUFFERS;
    const pressing = this.keys.busy && formats.telephoneEventPayloadType !== null;
    if (pressing && this.#writeEvent(event, formats)) {
      this.sources.rest();
      this.#sounding = false;
      this.#sent(event, nowMs);
      return;
    }
    const pcm = this.sources.frame(wait || pressing);
    // The marker tells a talk spurt's first packet (RFC 3551 §4.1); ours follow silence packets, not a pause.
    const marker = this.#packets === 0 || (pcm !== null && !this.#sounding);
    writeRtpHeader(audio, formats.payloadType, marker, this.#sequenceNumber, this.#timestamp, this.ssrc);
    if (pcm === null) formats.codec.encodeSilence(audio, RTP_HEADER_BYTES);
    else formats.codec.encode(pcm, audio, RTP_HEADER_BYTES);
    this.#frame = this.sources.withoutGuest ?? SILENCE;
    this.#sounding = pcm !== null;
    this.#sent(audio, nowMs);
  }

  /** Frames that a stall swallowed: their time passes without packets. */
  skip(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * this.#frameTicks) >>> 0;
  }

  get #frameTicks(): number {
    return this.#formats?.codec.frameTicks ?? 0;
  }

  /** False while no key is down. */
  #writeEvent(packet: Uint8Array, formats: SentFormats): boolean {
    const ticks = (formats.telephoneEventClockRateHz * FRAME_MS) / 1000;
    const event = this.keys.frame(packet, RTP_HEADER_BYTES, this.#timestamp, ticks);
    if (event === 'rest') return false;
    const type = formats.telephoneEventPayloadType as number;
    // The marker tells the first packet of an event (RFC 4733 §2.5.1.1).
    writeRtpHeader(packet, type, event === 'first', this.#sequenceNumber, this.keys.timestamp, this.ssrc);
    return true;
  }

  #sent(packet: Uint8Array, nowMs: number): void {
    this.#send(packet);
    this.#packets++;
    this.#octets += packet.length - RTP_HEADER_BYTES;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#advance();
    if (this.#lastSentMs !== null) this.#maxGapMs = Math.max(this.#maxGapMs, nowMs - this.#lastSentMs);
    this.#lastSentMs = nowMs;
  }

  #advance(): void {
    this.#timestamp = (this.#timestamp + this.#frameTicks) >>> 0;
  }
}

function packetBuffer(frameBytes: number): PacketBuffer {
  const bytes = new Uint8Array(RTP_HEADER_BYTES + Math.max(frameBytes, TELEPHONE_EVENT_BYTES));
  return {
    audio: bytes.subarray(0, RTP_HEADER_BYTES + frameBytes),
    event: bytes.subarray(0, RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES),
  };
}
