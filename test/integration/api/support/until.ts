import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again until there is something to see. */
export async function until<T>(what: string, limitMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > untilMs) throw new Error(`${what} did not come within ${limitMs} ms`);
    await sleep(50);
  }
}
