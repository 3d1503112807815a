/** What was sent lately, in one band, by the number of its sample: where an echo may come from. */
import { GRAPH_FRAME_SAMPLES } from '../../audio/frame';
import { BandFilter, DECIMATION } from './band-filter';
import type { Band } from './band-filter';

/** A power of two. Two seconds: the longest delay, and time for a thread that is late. */
const CAPACITY = 4096;

export class SentHistory {
  readonly #filter: BandFilter;
  readonly #samples = new Float32Array(CAPACITY);
  #end = 0;
  #voiceEnd = -Infinity;

  constructor(band: Band) {
    this.#filter = new BandFilter(band, GRAPH_FRAME_SAMPLES);
  }

  /** Where something that can be heard was sent last; −Infinity when nothing was. */
  get voiceEnd(): number {
    return this.#voiceEnd;
  }

  push(frame: Int16Array): void {
    const count = frame.length / DECIMATION;
    if (isSilent(frame)) {
      // The filter's tail, 6 ms, is not worth its price.
      if (this.#voiceEnd === this.#end) this.#filter.reset();
      for (let i = 0; i < count; i++) this.#samples[(this.#end + i) & (CAPACITY - 1)] = 0;
    } else {
      const decimated = this.#filter.push(frame);
      for (let i = 0; i < count; i++) this.#samples[(this.#end + i) & (CAPACITY - 1)] = decimated[i]!;
      this.#voiceEnd = this.#end + count;
    }
    this.#end += count;
  }

  /** Fills `span` with the samples from number `from` on; zeros for those that are not there. */
  copy(from: number, span: Float32Array): void {
    const first = Math.max(from, this.#end - CAPACITY, 0);
    const end = Math.min(from + span.length, this.#end);
    span.fill(0);
    for (let number = first; number < end;) {
      const at = number & (CAPACITY - 1);
      const count = Math.min(end - number, CAPACITY - at);
      span.set(this.#samples.subarray(at, at + count), number - from);
      number += count;
    }
  }
}

function isSilent(frame: Int16Array): boolean {
  for (let i = 0; i < frame.length; i++) if (frame[i] !== 0) return false;
  return true;
}
