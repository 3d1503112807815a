/**
 * Even RTP ports (RTCP on the odd one above) of a range, handed out at random. A port rests 30 s after its call, so that
 * late packets of the last peer meet nobody.
 */
import { randomInt } from 'node:crypto';

import { RtpError } from './rtp-error';

const REST_MS = 30_000;

export interface PortPoolOptions {
  readonly min: number;
  readonly max: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in 0..bound−1; default crypto's. */
  readonly random?: (bound: number) => number;
}

export class PortPool {
  readonly #now: () => number;
  readonly #random: (bound: number) => number;
  readonly #free: number[] = [];
  readonly #resting: { readonly port: number; readonly untilMs: number }[] = [];
  readonly #taken = new Set<number>();

  constructor(options: PortPoolOptions) {
    this.#now = options.now;
    this.#random = options.random ?? ((bound) => randomInt(bound));
    for (let port = options.min + (options.min % 2); port + 1 <= options.max; port += 2) this.#free.push(port);
  }

  /** Ports of the range, whether free or not. */
  get size(): number {
    return this.#free.length + this.#resting.length + this.#taken.size;
  }

  /** @throws RtpError `no_port` when none is free or rested */
  take(): number {
    this.#wake();
    if (this.#free.length === 0) throw new RtpError('no_port', 'all RTP ports are in use or resting');
    const at = this.#random(this.#free.length);
    const port = this.#free[at] as number;
    const tail = this.#free.pop() as number;
    if (at < this.#free.length) this.#free[at] = tail;
    this.#taken.add(port);
    return port;
  }

  release(port: number): void {
    if (this.#taken.delete(port)) this.#resting.push({ port, untilMs: this.#now() + REST_MS });
  }

  #wake(): void {
    const now = this.#now();
    let rested = 0;
    for (const { port, untilMs } of this.#resting) {
      if (untilMs > now) break;
      this.#free.push(port);
      rested++;
    }
    if (rested > 0) this.#resting.splice(0, rested);
  }
}
