/**
 * Recent audio of one call by absolute sample number: a short look-back while nobody speaks, everything since the
 * onset while somebody does.
 */
import { GRAPH_RATE_HZ } from '../../audio/frame';

const LOOK_BACK_SAMPLES = 0.6 * GRAPH_RATE_HZ;
const LIMIT_SAMPLES = 30 * GRAPH_RATE_HZ;
const INITIAL_SAMPLES = 2 * GRAPH_RATE_HZ;

export class UtteranceBuffer {
  #data = new Int16Array(INITIAL_SAMPLES);
  #length = 0;
  /** Absolute number of the first sample in `#data`. */
  #first = 0;
  /** Samples from here on are kept, and the look-back. */
  #keepFrom = 0;

  /** Absolute number of the next sample. */
  get end(): number {
    return this.#first + this.#length;
  }

  append(frame: Int16Array): void {
    if (this.#length + frame.length > this.#data.length) this.#makeRoom(frame.length);
    this.#data.set(frame, this.#length);
    this.#length += frame.length;
  }

  /** Older samples may go when room is needed. */
  keepFrom(sample: number): void {
    this.#keepFrom = sample;
  }

  /** Copy of what is still there of [from, to). */
  read(from: number, to: number): Int16Array {
    const start = Math.max(0, from - this.#first);
    return this.#data.slice(start, Math.max(start, Math.min(this.#length, to - this.#first)));
  }

  #makeRoom(samples: number): void {
    const wanted = Math.max(Math.min(this.#keepFrom, this.end - LOOK_BACK_SAMPLES), this.end + samples - LIMIT_SAMPLES);
    const dropped = Math.min(this.#length, Math.max(0, wanted - this.#first));
    const kept = this.#data.subarray(dropped, this.#length);
    const needed = kept.length + samples;
    const roomy = Math.max(INITIAL_SAMPLES, needed > this.#data.length / 2 ? needed * 2 : needed);
    const next = roomy === this.#data.length ? this.#data : new Int16Array(roomy);
    // Within one array this moves the samples to the front; copying handles the overlap.
    next.set(kept);
    this.#data = next;
    this.#first += dropped;
    this.#length = kept.length;
  }
}
