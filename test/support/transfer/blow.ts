/** One kill for many transfers: it falls when all of them have come to its step. */
import type { Stack } from '../stack';
import type { Killed } from './cells';

const COMES_BACK_MS = 60_000;

export class Blow {
  readonly #stack: Stack;
  readonly #process: Killed;
  readonly #coming = new Set<object>();
  readonly #waiting: (() => void)[] = [];
  #oldPid: number | null = null;

  constructor(stack: Stack, process: Killed, coming: readonly object[]) {
    this.#stack = stack;
    this.#process = process;
    for (const one of coming) this.#coming.add(one);
  }

  get fallen(): boolean {
    return this.#oldPid !== null;
  }

  /** Resolves right after the kill. */
  arrive(one: object): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.leave(one);
    });
  }

  /** Will not come, or has. */
  leave(one: object): void {
    if (!this.#coming.delete(one) || this.#coming.size > 0 || this.fallen || this.#waiting.length === 0) return;
    this.#oldPid = this.#stack.kill(this.#process);
    for (const resolve of this.#waiting) resolve();
  }

  /** The process is there again. */
  async over(): Promise<void> {
    if (this.#oldPid === null) return;
    await this.#stack.waitForNewPid(this.#process, this.#oldPid, COMES_BACK_MS);
    await this.#stack.waitReady(COMES_BACK_MS);
  }
}
