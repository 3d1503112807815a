/**
 * The sending half of a session: one packet per frame with continuous timestamps, of what plays, what is echoed, or
 * silence. Sequence number, timestamp and SSRC start at random (RFC 3550 §5.1).
 */
import { randomBytes } from 'node:crypto';

import { FRAME_MS, FRAME_SAMPLES } from '../audio/audio-batch';
import { SILENCE_OCTET, encodeG711 } from '../codec/g711';
import { DtmfSender, TELEPHONE_EVENT_BYTES } from './dtmf-sender';
import { RTP_HEADER_BYTES, writeRtpHeader } from './packet';
import { PlaybackQueue } from './playback-queue';

import type { G711Law } from '../codec/g711';

/**
 * A datagram the kernel cannot take at once stays referenced by the socket, so that a packet's memory is not written
 * again before its successors had theirs.
 */
const BUFFERS = 4;
const SILENCE = new Int16Array(FRAME_SAMPLES);

export type SendPacket = (packet: Uint8Array) => void;

export class Transmitter {
  readonly queue: PlaybackQueue;
  readonly keys = new DtmfSender();
  readonly ssrc: number;
  readonly #send: SendPacket;
  readonly #buffers = Array.from({ length: BUFFERS }, () => new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES));
  readonly #pcm = new Int16Array(FRAME_SAMPLES);
  #frame: Int16Array = SILENCE;
  #turn = 0;
  #sequenceNumber: number;
  #timestamp: number;
  #talking = false;
  #packets = 0;
  #octets = 0;
  #lastSentMs: number | null = null;
  #maxGapMs = 0;

  constructor(options: { readonly send: SendPacket; readonly onPlaybackFinished: (playbackId: number) => void }) {
    this.#send = options.send;
    this.queue = new PlaybackQueue(options.onPlaybackFinished);
    const random = randomBytes(10);
    this.ssrc = random.readUInt32BE(0);
    this.#timestamp = random.readUInt32BE(4);
    this.#sequenceNumber = random.readUInt16BE(8);
  }

  /** What the last frame carried, before its encoding; valid until the next. */
  get pcm(): Int16Array {
    return this.#frame;
  }

  get packetsSent(): number {
    return this.#packets;
  }

  get octetsSent(): number {
    return this.#octets;
  }

  /** Whether the last frame was something to hear. */
  get talking(): boolean {
    return this.#talking;
  }

  get maxSendGapMs(): number {
    return this.#maxGapMs;
  }

  /** RTP timestamp that corresponds to `nowMs`, for sender reports. */
  timestampAt(nowMs: number): number {
    const sinceMs = this.#lastSentMs === null ? FRAME_MS : nowMs - this.#lastSentMs;
    return (this.#timestamp + Math.round(((sinceMs - FRAME_MS) * FRAME_SAMPLES) / FRAME_MS)) >>> 0;
  }

  /**
   * One frame on our schedule. Keys that are pressed go first, and what plays waits for them. `echo` is sent back instead of what is queued; `hold` keeps the queue waiting and sends
   * silence; with `send` false the clock alone goes on.
   */
  frame(options: {
    readonly law: G711Law;
    readonly payloadType: number;
    /** For keys; null where the peer takes none. */
    readonly telephoneEventPayloadType: number | null;
    readonly send: boolean;
    readonly hold: boolean;
    readonly echo: Int16Array | null;
    readonly nowMs: number;
  }): void {
    if (!options.send) {
      this.#advance();
      this.#frame = SILENCE;
      this.#talking = false;
      this.#lastSentMs = null;
      return;
    }
    const packet = this.#buffers[this.#turn] as Uint8Array;
    this.#turn = (this.#turn + 1) % BUFFERS;
    const pressing = this.keys.busy && options.telephoneEventPayloadType !== null;
    const event = pressing ? this.keys.frame(packet, RTP_HEADER_BYTES, this.#timestamp) : 'rest';
    if (event !== 'rest' && options.telephoneEventPayloadType !== null) {
      const type = options.telephoneEventPayloadType;
      // The marker tells the first packet of an event (RFC 4733 §2.5.1.1).
      writeRtpHeader(packet, type, event === 'first', this.#sequenceNumber, this.keys.timestamp, this.ssrc);
      this.#frame = SILENCE;
      this.#talking = false;
      this.#sent(packet.subarray(0, RTP_HEADER_BYTES + TELEPHONE_EVENT_BYTES), options.nowMs);
      return;
    }
    const pcm = options.echo ?? this.#pcm;
    const speech = options.echo !== null || (!options.hold && !pressing && this.queue.frame(pcm));
    // The marker tells a talk spurt's first packet (RFC 3551 §4.1); ours follow silence packets, not a pause.
    const marker = this.#packets === 0 || (speech && !this.#talking);
    writeRtpHeader(packet, options.payloadType, marker, this.#sequenceNumber, this.#timestamp, this.ssrc);
    if (speech) encodeG711(options.law, pcm, 0, FRAME_SAMPLES, packet, RTP_HEADER_BYTES);
    else packet.fill(SILENCE_OCTET[options.law], RTP_HEADER_BYTES);
    this.#frame = speech ? pcm : SILENCE;
    this.#talking = speech;
    this.#sent(packet, options.nowMs);
  }

  /** Frames that a stall swallowed: their time passes without packets. */
  skip(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * FRAME_SAMPLES) >>> 0;
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
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
  }
}
