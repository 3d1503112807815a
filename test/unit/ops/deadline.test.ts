import { DeadlineError, withDeadline } from '../../../ops/deadline';
import { FakeClock } from '../../fakes/fake-clock';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const never = new Promise<never>(() => undefined);

test('work in time gives its value or its error, and leaves no timer', async () => {
  expect(await withDeadline(Promise.resolve(7), 1_000)).toBe(7);
  await expect(withDeadline(Promise.reject(new Error('broken')), 1_000)).rejects.toThrow('broken');
  expect(jest.getTimerCount()).toBe(0);
});

test('work that is late is no longer waited for, in the words that were asked for', async () => {
  const late = withDeadline(never, 1_000, { message: 'PostgreSQL is silent' });
  late.catch(() => undefined);
  await jest.advanceTimersByTimeAsync(999);
  expect(await Promise.race([late, Promise.resolve('waiting')])).toBe('waiting');
  await jest.advanceTimersByTimeAsync(1);
  await expect(late).rejects.toThrow(new DeadlineError('PostgreSQL is silent'));
  await expect(late).rejects.toBeInstanceOf(DeadlineError);
});

test('an error of late work is nobody’s', async () => {
  const unhandled = jest.fn();
  process.on('unhandledRejection', unhandled);
  let fail = (_error: Error): void => undefined;
  const work = new Promise<never>((_, reject) => (fail = reject));
  const late = withDeadline(work, 10).catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(10);
  expect(await late).toBeInstanceOf(DeadlineError);
  fail(new Error('broken'));
  jest.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test('an abort is as if the time were over, before and during the wait', async () => {
  const abort = new AbortController();
  const waiting = withDeadline(never, 60_000, { signal: abort.signal });
  abort.abort();
  await expect(waiting).rejects.toBeInstanceOf(DeadlineError);
  await expect(withDeadline(never, 60_000, { signal: abort.signal })).rejects.toBeInstanceOf(DeadlineError);
  expect(jest.getTimerCount()).toBe(0);
});

test('work that is done already counts although nobody wants to wait', async () => {
  expect(await withDeadline(Promise.resolve('done'), 60_000, { signal: AbortSignal.abort() })).toBe('done');
});

test('the time is that of the timers it is given', async () => {
  const timers = new FakeClock();
  const late = withDeadline(never, 1_000, { timers }).catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(await Promise.race([late, Promise.resolve('waiting')])).toBe('waiting');
  await timers.advance(1_000);
  expect(await late).toBeInstanceOf(DeadlineError);
  expect(await withDeadline(Promise.resolve(7), 1_000, { timers })).toBe(7);
  expect(timers.armed).toBe(0);
});
