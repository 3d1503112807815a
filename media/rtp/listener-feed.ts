/** The ear's side of the RTP thread: frames of all sessions, collected to one AudioBatch per round of the pacer. */
import { GRAPH_FRAME_SAMPLES } from '../audio/frame';

import type { MessagePort } from 'node:worker_threads';
import type { AudioBatch } from '../audio/audio-batch';
import type { FrameTap } from './media-session';

const FIRST_FRAMES = 64;

export class ListenerFeed {
  readonly #onFault: (error: unknown) => void;
  #port: MessagePort | null = null;
  #count = 0;
  #mediaIds = new Uint32Array(FIRST_FRAMES);
  #received = new Uint8Array(FIRST_FRAMES);
  #pcm = new Int16Array(FIRST_FRAMES * GRAPH_FRAME_SAMPLES);
  #sent = new Int16Array(FIRST_FRAMES * GRAPH_FRAME_SAMPLES);

  /** `onFault`: nobody listens any more. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** In place of the one before. */
  connect(port: MessagePort): void {
    const before = this.#port;
    this.#port = port;
    before?.close();
  }

  tapOf(mediaId: number): FrameTap {
    return { frame: (pcm, received, sent) => this.#collect(mediaId, pcm, received, sent) };
  }

  /** What was collected leaves. */
  post(): void {
    const count = this.#count;
    this.#count = 0;
    if (count === 0 || this.#port === null) return;
    // Their buffers move to the other thread: a copy each, for all sessions together.
    const batch: AudioBatch = {
      mediaIds: this.#mediaIds.slice(0, count),
      pcm: this.#pcm.slice(0, count * GRAPH_FRAME_SAMPLES),
      received: this.#received.slice(0, count),
      sent: this.#sent.slice(0, count * GRAPH_FRAME_SAMPLES),
    };
    try {
      this.#port.postMessage(batch, [
        batch.mediaIds.buffer as ArrayBuffer,
        batch.pcm.buffer as ArrayBuffer,
        batch.received.buffer as ArrayBuffer,
        batch.sent.buffer as ArrayBuffer,
      ]);
    } catch (error) {
      // Nobody hears the callers until the next listener; they still hear us, and every call can still end.
      this.#port = null;
      this.#onFault(error);
    }
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
  }

  #collect(mediaId: number, pcm: Int16Array, received: boolean, sent: Int16Array | null): void {
    if (this.#port === null) return;
    if (this.#count === this.#mediaIds.length) this.#grow();
    const at = this.#count * GRAPH_FRAME_SAMPLES;
    this.#mediaIds[this.#count] = mediaId;
    this.#received[this.#count] = received ? 1 : 0;
    this.#pcm.set(pcm, at);
    if (sent === null) this.#sent.fill(0, at, at + GRAPH_FRAME_SAMPLES);
    else this.#sent.set(sent, at);
    this.#count++;
  }

  #grow(): void {
    const frames = 2 * this.#mediaIds.length;
    this.#mediaIds = filled(new Uint32Array(frames), this.#mediaIds);
    this.#received = filled(new Uint8Array(frames), this.#received);
    this.#pcm = filled(new Int16Array(frames * GRAPH_FRAME_SAMPLES), this.#pcm);
    this.#sent = filled(new Int16Array(frames * GRAPH_FRAME_SAMPLES), this.#sent);
  }
}

function filled<T extends { set(from: T): void }>(larger: T, from: T): T {
  larger.set(from);
  return larger;
}
