/**
 * What a session plays: chunks of PCM in order, each belonging to a playback, with an exact count of the samples of each
 * playback that left. Gain changes are ramped over one frame.
 */
import { GRAPH_FRAME_SAMPLES } from '../audio/frame';

const REMEMBERED_PLAYBACKS = 64;

interface Chunk {
  readonly playbackId: number;
  readonly pcm: Int16Array;
  readonly last: boolean;
}

export class PlaybackQueue {
  readonly #onFinished: (playbackId: number) => void;
  readonly #chunks: Chunk[] = [];
  /** Samples of the first chunk that left. */
  #offset = 0;
  readonly #sent = new Map<number, number>();
  /** Begun or queued since the last clear. */
  #current = new Set<number>();
  #gain = 1;
  #nextGain = 1;

  constructor(onFinished: (playbackId: number) => void) {
    this.#onFinished = onFinished;
  }

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    if (!this.#sent.has(playbackId)) {
      this.#sent.set(playbackId, 0);
      if (this.#sent.size > REMEMBERED_PLAYBACKS) this.#forgetOldest();
    }
    this.#current.add(playbackId);
    if (pcm.length > 0 || last) this.#chunks.push({ playbackId, pcm, last });
    if (pcm.length === 0) this.#finishEmpty();
  }

  setGain(gain: number): void {
    this.#nextGain = Math.min(1, Math.max(0, Number.isFinite(gain) ? gain : 1));
  }

  /** Fills `out` with the next 20 ms; false (and `out` untouched) when there is nothing to play. */
  frame(out: Int16Array): boolean {
    if (!this.#hasFrame()) return false;
    let at = 0;
    for (;;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined || at === GRAPH_FRAME_SAMPLES) break;
      const count = Math.min(GRAPH_FRAME_SAMPLES - at, chunk.pcm.length - this.#offset);
      copy(chunk.pcm, this.#offset, count, out, at);
      at += count;
      this.#offset += count;
      this.#sent.set(chunk.playbackId, (this.#sent.get(chunk.playbackId) ?? 0) + count);
      if (this.#offset === chunk.pcm.length) this.#dropFirst(chunk);
    }
    out.fill(0, at);
    this.#finishEmpty();
    this.#applyGain(out);
    return true;
  }

  played(playbackId: number): number {
    return this.#sent.get(playbackId) ?? 0;
  }

  /** Drops all that has not left. Samples sent of every playback that was begun or queued since the last clear. */
  clear(): Map<number, number> {
    const result = new Map<number, number>();
    for (const playbackId of this.#current) result.set(playbackId, this.played(playbackId));
    this.#current = new Set();
    this.#chunks.length = 0;
    this.#offset = 0;
    return result;
  }

  /** A whole frame, or what is left of a playback that will not go on: a late chunk must not tear a word apart. */
  #hasFrame(): boolean {
    const first = this.#chunks[0];
    if (first === undefined) return false;
    let samples = -this.#offset;
    for (let i = 0; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] as Chunk;
      if (chunk.playbackId !== first.playbackId) return true;
      samples += chunk.pcm.length;
      if (chunk.last || samples >= GRAPH_FRAME_SAMPLES) return true;
    }
    return false;
  }

  #dropFirst(chunk: Chunk): void {
    this.#chunks.shift();
    this.#offset = 0;
    if (chunk.last) this.#onFinished(chunk.playbackId);
  }

  /** An empty last chunk ends its playback as soon as it is first in line. */
  #finishEmpty(): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined && chunk.pcm.length === 0; chunk = this.#chunks[0]) {
      this.#dropFirst(chunk);
    }
  }

  #applyGain(out: Int16Array): void {
    const from = this.#gain;
    const to = this.#nextGain;
    this.#gain = to;
    if (from === 1 && to === 1) return;
    const step = (to - from) / GRAPH_FRAME_SAMPLES;
    for (let i = 0; i < GRAPH_FRAME_SAMPLES; i++) out[i] = Math.round((out[i] as number) * (from + step * (i + 1)));
  }

  #forgetOldest(): void {
    for (const playbackId of this.#sent.keys()) {
      if (this.#current.has(playbackId) && this.#chunks.some((chunk) => chunk.playbackId === playbackId)) continue;
      this.#sent.delete(playbackId);
      this.#current.delete(playbackId);
      return;
    }
  }
}

/** Without a view, which would be garbage of every frame. */
function copy(from: Int16Array, offset: number, count: number, out: Int16Array, at: number): void {
  for (let i = 0; i < count; i++) out[at + i] = from[offset + i] as number;
}
