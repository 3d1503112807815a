import fc from 'fast-check';
import { Semaphore } from '../../../ops/semaphore';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

/** Places that nobody has. */
function freePlaces(semaphore: Semaphore): number {
  let free = 0;
  while (semaphore.tryAcquire()) free += 1;
  for (let n = 0; n < free; n++) semaphore.release();
  return free;
}

test('gives its places, then lets wait in order of arrival', async () => {
  const semaphore = new Semaphore(1);
  expect(await semaphore.acquire()).toBe(true);
  expect(semaphore.tryAcquire()).toBe(false);
  const order: string[] = [];
  const waiting = ['a', 'b', 'c'].map((name) => semaphore.acquire().then(() => order.push(name)));
  for (const turn of waiting) {
    semaphore.release();
    await turn;
  }
  expect(order).toEqual(['a', 'b', 'c']);
  semaphore.release();
  expect(freePlaces(semaphore)).toBe(1);
});

test('a place goes to the next in line without becoming free in between', () => {
  const semaphore = new Semaphore(1);
  semaphore.tryAcquire();
  void semaphore.acquire();
  semaphore.release();
  expect(semaphore.tryAcquire()).toBe(false);
});

test('who has waited too long leaves the line, with its timer', async () => {
  const semaphore = new Semaphore(1);
  semaphore.tryAcquire();
  const late = semaphore.acquire({ maxWaitMs: 1_000 });
  const patient = semaphore.acquire({ maxWaitMs: 60_000 });
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await late).toBe(false);
  semaphore.release();
  expect(await patient).toBe(true);
  expect([freePlaces(semaphore), jest.getTimerCount()]).toEqual([0, 0]);
});

test('who is not interested any more leaves the line and takes nothing', async () => {
  const semaphore = new Semaphore(1);
  semaphore.tryAcquire();
  const abort = new AbortController();
  const first = semaphore.acquire({ signal: abort.signal });
  const second = semaphore.acquire();
  abort.abort();
  expect(await first).toBe(false);
  semaphore.release();
  expect(await second).toBe(true);
  semaphore.release();
  expect(await semaphore.acquire({ signal: abort.signal })).toBe(false);
  expect(freePlaces(semaphore)).toBe(1);
});

test('an abort after the admission changes nothing', async () => {
  const semaphore = new Semaphore(1);
  semaphore.tryAcquire();
  const abort = new AbortController();
  const admitted = semaphore.acquire({ signal: abort.signal });
  semaphore.release();
  abort.abort();
  expect(await admitted).toBe(true);
  expect(freePlaces(semaphore)).toBe(0);
});

test('more places let in who waits; fewer take none away, but give none again', async () => {
  const semaphore = new Semaphore(0);
  const [first, second, third] = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()];
  expect(await isPending(first)).toBe(true);
  semaphore.resize(2);
  expect([await first, await second, await isPending(third)]).toEqual([true, true, true]);
  semaphore.resize(1);
  semaphore.release();
  expect(await isPending(third)).toBe(true);
  semaphore.release();
  expect([await third, freePlaces(semaphore)]).toEqual([true, 0]);
  semaphore.release();
  expect(freePlaces(semaphore)).toBe(1);
});

type Step = { readonly kind: 'acquire' | 'release' | 'abort' | 'resize'; readonly n: number };

const steps = fc.array(
  fc.record<Step>({ kind: fc.constantFrom('acquire', 'release', 'abort', 'resize'), n: fc.nat({ max: 5 }) }),
  { maxLength: 60 },
);

test('whatever happens: no place too many, none lost, and nobody waits beside a free one', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      let limit = 2;
      const semaphore = new Semaphore(limit);
      const line: { readonly n: number; readonly abort: AbortController }[] = [];
      const admitted: number[] = [];
      let inside = 0;
      let arrivals = 0;
      for (const { kind, n } of sequence) {
        const before = inside;
        if (kind === 'acquire') {
          const entry = { n: arrivals++, abort: new AbortController() };
          line.push(entry);
          void semaphore.acquire({ signal: entry.abort.signal }).then((got) => {
            line.splice(line.indexOf(entry), 1);
            if (!got) return;
            inside += 1;
            admitted.push(entry.n);
          });
        } else if (kind === 'abort') line[n]?.abort.abort();
        else if (kind === 'resize') semaphore.resize((limit = n));
        else if (inside > 0) {
          inside -= 1;
          semaphore.release();
        }
        for (let hops = 0; hops < 4; hops++) await Promise.resolve();
        expect(freePlaces(semaphore)).toBe(Math.max(0, limit - inside));
        if (inside > before) expect(inside).toBeLessThanOrEqual(limit);
        if (line.length > 0) expect(inside).toBeGreaterThanOrEqual(limit);
      }
      expect(admitted).toEqual(admitted.toSorted((a, b) => a - b));
    }),
  );
});
