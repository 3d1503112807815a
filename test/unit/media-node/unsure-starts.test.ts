import { UnsureStarts } from '../../../media-node/unsure-starts';
import { createLogger } from '../../../ops/logger';

const logger = createLogger({ name: 'test', level: 'silent' });

/** `pass` ends the pauses that were begun. */
function setUp(verify: (callId: string) => Promise<'delivered' | 'gone'>) {
  const pauses: { readonly ms: number; readonly end: () => void }[] = [];
  const starts = new UnsureStarts({
    verify,
    logger,
    sleep: (ms, _, { signal }) =>
      new Promise((resolve, reject) => {
        pauses.push({ ms, end: resolve });
        signal?.addEventListener('abort', () => reject(new Error('closed')));
      }),
  });
  const pass = async (): Promise<number[]> => {
    const ended = pauses.splice(0);
    for (const { end } of ended) end();
    for (let i = 0; i < 10; i++) await Promise.resolve();
    return ended.map(({ ms }) => ms);
  };
  return { starts, pass };
}

test('its workflow is told to ask once the answer should have come, until Temporal has taken that', async () => {
  let failures = 2;
  const told: string[] = [];
  const { starts, pass } = setUp((callId) => {
    told.push(callId);
    return failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve('delivered');
  });
  starts.note('c');
  starts.note('c');
  expect(told).toEqual([]);
  expect(await pass()).toEqual([10_000]);
  await pass();
  await pass();
  expect(told).toEqual(['c', 'c', 'c']);
  expect(await pass()).toEqual([]);
});

test('a workflow that never began needs no more', async () => {
  const told: string[] = [];
  const { starts, pass } = setUp((callId) => {
    told.push(callId);
    return Promise.resolve('gone');
  });
  starts.note('c');
  await pass();
  expect([told, await pass()]).toEqual([['c'], []]);
});

test('nothing is told by a node that has stopped', async () => {
  const told: string[] = [];
  const { starts, pass } = setUp((callId) => {
    told.push(callId);
    return Promise.resolve('delivered');
  });
  starts.note('c');
  starts.close();
  await pass();
  expect(told).toEqual([]);
});
