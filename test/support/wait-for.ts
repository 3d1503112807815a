import { setTimeout as sleep } from 'node:timers/promises';

/** Asks every 25 ms until there is an answer. */
export async function waitFor<T>(
  what: string,
  limitMs: number,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await sleep(25);
  }
}
