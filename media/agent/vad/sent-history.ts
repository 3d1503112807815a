/** What was sent lately, decimated, by the number of its sample: where an echo may come from. */
import { DECIMATION, Decimator } from '../../audio/decimator';

/** A power of two. Two seconds: the longest delay, and time for a thread that is late. */
const CAPACITY = 4096;
/** As many, in frames of 20 ms, and some. */
const LEVELS = 128;

export class SentHistory {
  readonly #filter = new Decimator();
  readonly #samples = new Float32Array(CAPACITY);
  /** Mean square of the last frames, in the whole band. */
  readonly #levels = new Float32Array(LEVELS);
  #frameLength = 1;
  #end = 0;
  #voiceEnd = -Infinity;

  /** Where something that can be heard was sent last; −Infinity when nothing was. */
  get voiceEnd(): number {
    return this.#voiceEnd;
  }

  push(frame: Int16Array): void {
    const count = frame.length / DECIMATION;
    const silent = isSilent(frame);
    if (silent) {
      // The filter's tail, 6 ms, is not worth its price.
      if (this.#voiceEnd === this.#end) this.#filter.reset();
      for (let i = 0; i < count; i++) this.#samples[(this.#end + i) & (CAPACITY - 1)] = 0;
    } else {
      const decimated = this.#filter.push(frame);
      for (let i = 0; i < count; i++) this.#samples[(this.#end + i) & (CAPACITY - 1)] = decimated[i]!;
      this.#voiceEnd = this.#end + count;
    }
    this.#levels[Math.floor(this.#end / count) % LEVELS] = silent ? 0 : meanSquare(frame);
    this.#frameLength = count;
    this.#end += count;
  }

  /** Mean square of the loudest frame with a sample of [from, to) in it. */
  loudest(from: number, to: number): number {
    const [first, last] = [Math.floor(from / this.#frameLength), Math.floor((to - 1) / this.#frameLength)];
    let loudest = 0;
    for (let frame = Math.max(0, first); frame <= last; frame++)
      loudest = Math.max(loudest, this.#levels[frame % LEVELS]!);
    return loudest;
  }

  /** Fills `span` with the samples from number `from` on; zeros for those that are not there. */
  copy(from: number, span: Float32Array): void {
    const first = Math.max(0, this.#end - CAPACITY);
    for (let i = 0; i < span.length; i++) {
      const number = from + i;
      span[i] = number < first || number >= this.#end ? 0 : this.#samples[number & (CAPACITY - 1)]!;
    }
  }
}

function isSilent(frame: Int16Array): boolean {
  for (let i = 0; i < frame.length; i++) if (frame[i] !== 0) return false;
  return true;
}

function meanSquare(frame: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < frame.length; i++) sum += frame[i]! ** 2;
  return sum / frame.length;
}
