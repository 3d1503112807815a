import { retry } from '../../../ops/retry';
import type { RetryOptions } from '../../../ops/retry';
import { sleepOnGlobalTimers } from '../../fakes/fake-sleep';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Fails `failures` times, with the number of the failure, then gives `done`. */
function failing(failures: number): { readonly work: () => Promise<string>; readonly triedAtMs: number[] } {
  const startMs = performance.now();
  const triedAtMs: number[] = [];
  const work = (): Promise<string> => {
    triedAtMs.push(performance.now() - startMs);
    return triedAtMs.length > failures ? Promise.resolve('done') : Promise.reject(new Error(`${triedAtMs.length}`));
  };
  return { work, triedAtMs };
}

const timed = (work: () => Promise<string>, options: Partial<RetryOptions> = {}): Promise<string> => {
  const done = retry(work, { pauseMs: 100, sleep: sleepOnGlobalTimers, ...options });
  done.catch(() => undefined); // looked at later
  return done;
};

test('what works at once is done once, without a pause', async () => {
  const { work, triedAtMs } = failing(0);
  expect(await timed(work)).toBe('done');
  expect(triedAtMs).toEqual([0]);
  expect(jest.getTimerCount()).toBe(0);
});

test('what fails is done again after a pause, until it works', async () => {
  const { work, triedAtMs } = failing(3);
  const done = timed(work);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await done).toBe('done');
  expect(triedAtMs).toEqual([0, 100, 200, 300]);
});

test('pauses double up to their maximum', async () => {
  const { work, triedAtMs } = failing(4);
  const done = timed(work, { maximumPauseMs: 350 });
  await jest.advanceTimersByTimeAsync(2_000);
  await done;
  expect(triedAtMs).toEqual([0, 100, 300, 650, 1_000]);
});

test('each failure that is followed by another try is told, with its number', async () => {
  const told: string[] = [];
  const { work } = failing(9);
  const onFailure = (error: unknown, failures: number): number => told.push(`${failures} ${(error as Error).message}`);
  const done = timed(work, { maximumFailures: 3, onFailure });
  await jest.advanceTimersByTimeAsync(1_000);
  await expect(done).rejects.toThrow('3');
  expect(told).toEqual(['1 1', '2 2']);
});

test('tries without a pause follow one another', async () => {
  const { work, triedAtMs } = failing(2);
  expect(await timed(work, { pauseMs: 0, maximumFailures: 3 })).toBe('done');
  expect(triedAtMs).toEqual([0, 0, 0]);
});

test('nothing is tried again once the limit is over; the last error is thrown', async () => {
  const { work, triedAtMs } = failing(99);
  const done = timed(work, { limitMs: 250 });
  await jest.advanceTimersByTimeAsync(1_000);
  await expect(done).rejects.toThrow('4');
  expect(triedAtMs).toEqual([0, 100, 200, 300]);
});

test('a failure that does not pass is thrown at once', async () => {
  const { work, triedAtMs } = failing(99);
  const done = timed(work, { passes: (error) => (error as Error).message !== '2' });
  await jest.advanceTimersByTimeAsync(1_000);
  await expect(done).rejects.toThrow('2');
  expect(triedAtMs).toHaveLength(2);
});

test('an abort ends a pause at once, with its reason', async () => {
  const { work, triedAtMs } = failing(99);
  const abort = new AbortController();
  const done = timed(work, { pauseMs: 60_000, signal: abort.signal });
  await jest.advanceTimersByTimeAsync(10);
  abort.abort(new Error('the process ends'));
  await expect(done).rejects.toThrow('the process ends');
  expect(triedAtMs).toHaveLength(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('an abort during a try lets it end: its success counts, its failure is the last', async () => {
  const abort = new AbortController();
  const done = timed(
    () => {
      abort.abort(new Error('the process ends'));
      return Promise.resolve('done');
    },
    { signal: abort.signal },
  );
  expect(await done).toBe('done');
  const late = new AbortController();
  const { work, triedAtMs } = failing(99);
  const failed = timed(
    () => {
      late.abort(new Error('the process ends'));
      return work();
    },
    { signal: late.signal },
  );
  await expect(failed).rejects.toThrow('the process ends');
  expect(triedAtMs).toHaveLength(1);
});

test('nothing is begun when the abort came before', async () => {
  const { work, triedAtMs } = failing(0);
  const aborted = AbortSignal.abort(new Error('the process ends'));
  await expect(timed(work, { signal: aborted })).rejects.toThrow('the process ends');
  expect(triedAtMs).toEqual([]);
});

test('without a sleep of a test it waits on the timers of node, which an abort ends too', async () => {
  jest.useRealTimers();
  const { work, triedAtMs } = failing(2);
  expect(await retry(work, { pauseMs: 1 })).toBe('done');
  expect(triedAtMs).toHaveLength(3);
  const abort = new AbortController();
  const onFailure = (): void => abort.abort(new Error('the process ends'));
  await expect(retry(failing(1).work, { pauseMs: 60_000, signal: abort.signal, onFailure })).rejects.toThrow(
    'the process ends',
  );
});
