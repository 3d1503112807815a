import fc from 'fast-check';

import { KeyLots } from '../../../api/key-lots';
import { rateOf } from '../../../api/middleware/rate-limit';
import type { AdmittedApiKey } from '../../../store/repositories/api-key-repository';

const MINUTE_US = 60_000_000;

/** Counts as `admit_api_key` does, for one key. */
class CountingStore {
  nowMs = 1_000_000;
  revoked = false;
  broken = false;
  expiresAt: Date | null = null;
  asked: number[] = [];
  counted = 0;
  #fullAtUs = 0;

  readonly admit = async (
    _key: string,
    perMinute: number,
    _streaming: boolean,
    requests: number,
  ): Promise<AdmittedApiKey | null> => {
    this.asked.push(requests);
    await Promise.resolve();
    if (this.broken) throw new Error('connection refused');
    if (this.revoked) return null;
    const nowUs = this.nowMs * 1000;
    const share = Math.max(1, Math.floor(MINUTE_US / perMinute)) * requests;
    const from = Math.max(this.#fullAtUs, nowUs);
    const allowed = from + share <= nowUs + MINUTE_US;
    if (allowed) {
      this.#fullAtUs = from + share;
      this.counted += requests;
    }
    return {
      id: 'key',
      orgId: 'org',
      scopes: ['full'],
      operator: false,
      suspended: false,
      expiresAt: this.expiresAt,
      allowed,
      fullInUs: Math.max(0, this.#fullAtUs - nowUs),
    };
  };
}

function setUp(perMinute: number) {
  const store = new CountingStore();
  const lots = new KeyLots(store.admit, () => store.nowMs);
  const take = (): Promise<AdmittedApiKey | null> => lots.take('tl_live_key', 'digest', perMinute, false);
  return { store, take };
}

test('a key of an ordinary rate pays for each request by itself', async () => {
  const { store, take } = setUp(5_999);
  for (let n = 0; n < 500; n++) await take();
  expect(new Set(store.asked)).toEqual(new Set([1]));
  expect(store.counted).toBe(500);
});

test('the store is asked some ten times a second for a key that sends five hundred', async () => {
  const { store, take } = setUp(1_000_000);
  const last = { fullInUs: 0 };
  for (let n = 0; n < 5_000; n++) {
    store.nowMs += 2;
    Object.assign(last, await take());
  }
  expect(store.asked.length).toBeLessThan(120);
  expect(store.counted).toBeGreaterThanOrEqual(5_000);
});

test.each([1, 2, 50])(
  'of any requests, %i at a time, no more pass than were counted, and no more than the rate has',
  async (atOnce) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 6_000, max: 20_000 }),
        fc.array(fc.record({ waitMs: fc.nat({ max: 400 }), requests: fc.nat({ max: 300 }) }), { maxLength: 20 }),
        async (perMinute, steps) => {
          const { store, take } = setUp(perMinute);
          const began = store.nowMs;
          let passed = 0;
          for (const { waitMs, requests } of steps) {
            store.nowMs += waitMs;
            for (let n = 0; n < requests; n += atOnce) {
              const answers = await Promise.all(Array.from({ length: atOnce }, take));
              for (const answer of answers) {
                if (answer?.allowed !== true) continue;
                passed++;
                expect(rateOf(perMinute, answer).remaining).toBeLessThanOrEqual(perMinute);
              }
              expect(passed).toBeLessThanOrEqual(store.counted);
            }
          }
          expect(store.counted).toBeLessThanOrEqual(perMinute + ((store.nowMs - began) / 60_000) * perMinute + 1);
        },
      ),
      { numRuns: 8 },
    );
  },
);

test('what is told to remain is what the store has left and what is paid for, one less each time', async () => {
  const { store, take } = setUp(60_000);
  const remaining: number[] = [];
  for (let n = 0; n < 300; n++) remaining.push(rateOf(60_000, (await take())!).remaining);
  expect(store.asked.some((requests) => requests > 1)).toBe(true);
  // No time passes: nothing comes free. What a lot was for is told as used once it is.
  expect(remaining.every((left, n) => n === 0 || left <= remaining[n - 1]!)).toBe(true);
  expect(remaining.at(-1)).toBeGreaterThanOrEqual(60_000 - store.counted);
});

test('a revoked key is refused within a quarter of a second, an expired one at once', async () => {
  const { store, take } = setUp(1_000_000);
  store.expiresAt = new Date(Date.now() + 3_600_000);
  for (let n = 0; n < 100; n++) await take();
  store.revoked = true;
  store.nowMs += 250;
  expect(await take()).toBeNull();
  store.revoked = false;
  for (let n = 0; n < 60; n++) await take();
  const asked = store.asked.length;
  await take();
  expect(store.asked).toHaveLength(asked);
  store.expiresAt.setTime(Date.now() - 1);
  store.revoked = true; // as the store finds it
  expect(await take()).toBeNull();
});

test('a store that fails is asked by as many as without lots, and keeps nobody waiting for another failure', async () => {
  const { store, take } = setUp(1_000_000);
  store.broken = true;
  for (let n = 0; n < 2; n++) {
    const asked = store.asked.length;
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, take));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(store.asked.length - asked).toBeLessThanOrEqual(40);
  }
  store.broken = false;
  expect(await take()).toMatchObject({ allowed: true });
});

test('who waits for a lot hears that it failed, and asks no more', async () => {
  const { store, take } = setUp(1_000_000);
  for (let n = 0; n < 60; n++) await take();
  store.nowMs += 250; // what was paid for is of no use any more
  store.broken = true;
  const asked = store.asked.length;
  const outcomes = await Promise.allSettled(Array.from({ length: 15 }, take));
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  expect(store.asked.length - asked).toBe(1);
});
