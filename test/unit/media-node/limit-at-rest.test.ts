import { measureAtRest } from '../../../media-node/limit-at-rest';

/** Ends each pause at once, and tells how long it was. */
class Pauses {
  readonly ms: number[] = [];
  onPause: (n: number) => void = () => undefined;

  readonly wait = (ms: number): Promise<void> => {
    this.onPause(this.ms.push(ms));
    return Promise.resolve();
  };
}

describe('what a recogniser manages', () => {
  let measured = 0;
  const measure = (): Promise<void> => {
    measured++;
    return Promise.resolve();
  };

  beforeEach(() => {
    measured = 0;
  });

  it('is measured once more, as soon as no call is there', async () => {
    const pauses = new Pauses();
    const { signal } = new AbortController();
    await measureAtRest({ isIdle: () => pauses.ms.length === 3, measure, signal, wait: pauses.wait });
    expect(pauses.ms).toEqual([10_000, 5_000, 5_000]);
    expect(measured).toBe(1);
  });

  it('is not measured by a node that is about to end', async () => {
    const pauses = new Pauses();
    const end = new AbortController();
    pauses.onPause = (n) => n === 2 && end.abort();
    await measureAtRest({ isIdle: () => pauses.ms.length > 1, measure, signal: end.signal, wait: pauses.wait });
    expect(pauses.ms).toHaveLength(2);
    expect(measured).toBe(0);
  });

  it('stays what it was where the recogniser is gone', async () => {
    const { signal } = new AbortController();
    const gone = (): Promise<void> => Promise.reject(new Error('closed'));
    await expect(
      measureAtRest({ isIdle: () => true, measure: gone, signal, wait: new Pauses().wait }),
    ).resolves.toBeUndefined();
  });
});
