import { NameCache } from '../../../../../media/sip/edge/name-cache';
import { FakeClock } from '../../../../fakes/fake-clock';

import type { NameAnswer } from '../../../../../media/sip/edge/name-cache';

describe('name cache', () => {
  const clock = new FakeClock();
  const asked: string[] = [];

  const cacheOf = (maxNames = 100): NameCache<string> =>
    new NameCache({
      clock,
      maxNames,
      failureTtlMs: (error) => ((error as Error).message === 'no name' ? 30_000 : 5_000),
    });
  const answer =
    (name: string, ttlMs = 60_000): (() => Promise<NameAnswer<string>>) =>
    () => {
      asked.push(name);
      return Promise.resolve({ value: `of ${name}`, ttlMs });
    };

  beforeEach(() => asked.splice(0));

  it('asks again when the time of an answer is over, and not before', async () => {
    const cache = cacheOf();
    expect(await cache.get('a', answer('a', 5_000))).toBe('of a');
    await clock.advance(4_999);
    expect(await cache.get('a', answer('a', 5_000))).toBe('of a');
    expect(asked).toEqual(['a']);
    await clock.advance(1);
    expect(await cache.get('a', answer('a', 5_000))).toBe('of a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('asks once for all who wait for the same name, however long it takes', async () => {
    const cache = cacheOf();
    let settle: (answer: NameAnswer<string>) => void = () => undefined;
    const ask = jest.fn(() => new Promise<NameAnswer<string>>((resolve) => (settle = resolve)));
    const first = cache.get('slow', ask);
    await clock.advance(60_000);
    const second = cache.get('slow', ask);
    settle({ value: 'x', ttlMs: 0 });
    expect(await Promise.all([first, second])).toEqual(['x', 'x']);
    expect(ask).toHaveBeenCalledTimes(1);
  });

  it('keeps an answer with a TTL of 0 for nobody else', async () => {
    const cache = cacheOf();
    await cache.get('a', answer('a', 0));
    await cache.get('a', answer('a', 0));
    expect(asked).toEqual(['a', 'a']);
  });

  it.each([
    ['no name', 30_000],
    ['no answer', 5_000],
  ])('remembers a failure (%s) for %i ms', async (message, ms) => {
    const cache = cacheOf();
    const fail = jest.fn(() => Promise.reject<NameAnswer<string>>(new Error(message)));
    await expect(cache.get('bad', fail)).rejects.toThrow(message);
    await clock.advance(ms - 1);
    await expect(cache.get('bad', fail)).rejects.toThrow(message);
    expect(fail).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(await cache.get('bad', answer('bad'))).toBe('of bad');
  });

  it('holds no more names than it may: the one asked for longest ago goes first', async () => {
    const cache = cacheOf(3);
    for (const name of ['a', 'b', 'c', 'a', 'd']) await cache.get(name, answer(name));
    expect(cache.size).toBe(3);
    for (const name of ['a', 'c', 'd', 'b']) await cache.get(name, answer(name));
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'b']);
    const failing = cacheOf(50);
    for (let n = 0; n < 500; n++) {
      await failing.get(`n${n}`, () => Promise.reject(new Error('no name'))).catch(() => undefined);
    }
    expect(failing.size).toBe(50);
  });
});
