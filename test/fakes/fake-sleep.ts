import type { Sleep } from '../../ops/retry';

/** Sleeps on the global timers, which jest replaces; those of `node:timers/promises` it does not. */
export const sleepOnGlobalTimers: Sleep = (ms, _value, { signal }) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
