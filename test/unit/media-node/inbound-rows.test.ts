import { QueryFailedError } from 'typeorm';
import { InboundRows } from '../../../media-node/inbound-rows';
import { createLogger } from '../../../ops/logger';
import type { NewCall } from '../../../store/repositories/call-row';

const logger = createLogger({ name: 'test', level: 'silent' });
const call = (id: string): NewCall => ({ id }) as NewCall;
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** PostgreSQL that takes what `answer` lets it; `pass` ends the pauses between tries. */
function setUp() {
  const asked: string[] = [];
  const pauses: { readonly ms: number; readonly end: () => void }[] = [];
  const store: { answer: (id: string) => Promise<void> } = { answer: () => Promise.resolve() };
  const rows = new InboundRows({
    insert: ({ id }) => {
      asked.push(id);
      return store.answer(id);
    },
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
    await turns();
    return ended.map(({ ms }) => ms);
  };
  return { rows, asked, store, pass };
}

test('rows are written at once, four at a time', async () => {
  const { rows, asked, store } = setUp();
  const done: (() => void)[] = [];
  store.answer = () => new Promise((resolve) => void done.push(resolve));
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) rows.add(call(id));
  expect(asked).toEqual(['a', 'b', 'c', 'd']);
  done[1]?.();
  await turns();
  expect(asked).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const end of done.splice(0)) end();
  await turns();
  expect(asked).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('what PostgreSQL does not take waits for it, however long it is away', async () => {
  const { rows, asked, store, pass } = setUp();
  store.answer = () => Promise.reject(new Error('away'));
  rows.add(call('a'));
  await turns();
  const paused: number[] = [];
  for (let i = 0; i < 6; i++) paused.push(...(await pass()));
  expect(paused).toHaveLength(6);
  expect(Math.max(...paused)).toBeLessThanOrEqual(5_000);
  store.answer = () => Promise.resolve();
  await pass();
  const tries = asked.length;
  rows.add(call('b'));
  await turns();
  expect(asked.slice(tries)).toEqual(['b']);
});

test('a row that no table can hold keeps no other from being written', async () => {
  const { rows, asked, store, pass } = setUp();
  store.answer = (id) =>
    id === 'bad'
      ? Promise.reject(new QueryFailedError('', [], Object.assign(new Error('no'), { code: '22003' })))
      : Promise.resolve();
  rows.add(call('bad'));
  rows.add(call('good'));
  await turns();
  expect(asked).toEqual(['bad', 'good']);
  expect(await pass()).toEqual([]);
});

test('the end of the node waits for what is under way, no longer than it may', async () => {
  const { rows, store } = setUp();
  let taken = (): void => undefined;
  store.answer = () => new Promise((resolve) => void (taken = resolve));
  rows.add(call('a'));
  let closed = false;
  const closing = rows.close(5_000).then(() => (closed = true));
  await turns();
  expect(closed).toBe(false);
  taken();
  await closing;
  const away = setUp();
  away.store.answer = () => Promise.reject(new Error('away'));
  away.rows.add(call('a'));
  await turns();
  await away.rows.close(10);
  const tries = away.asked.length;
  await away.pass();
  expect(away.asked).toHaveLength(tries);
});
