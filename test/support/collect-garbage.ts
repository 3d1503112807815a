import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Has everything collected that nothing holds; what only finished promises and sockets still hold goes in between. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
}

/** Bytes of the heap per repetition, once all that can be collected was, and after as many in which code is compiled. */
export async function heapPerRepetition(repetitions: number, repeat: () => Promise<void>): Promise<number> {
  for (let i = 0; i < repetitions; i++) await repeat();
  await collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < repetitions; i++) await repeat();
  await collectGarbage();
  return (process.memoryUsage().heapUsed - before) / repetitions;
}
