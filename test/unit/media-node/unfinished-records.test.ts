import { STUCK } from '../../../media-node/node-load';
import { UnfinishedRecords } from '../../../media-node/unfinished-records';
import { createLogger } from '../../../ops/logger';

function setUp() {
  let nowMs = 0;
  const complete = new Set<string>();
  let away = false;
  const asked: (readonly string[])[] = [];
  const records = new UnfinishedRecords({
    completed: (callIds) => {
      asked.push(callIds);
      if (away) return Promise.reject(new Error('away'));
      return Promise.resolve(callIds.filter((id) => complete.has(id)));
    },
    logger: createLogger({ name: 'test', level: 'silent' }),
    nowMs: () => nowMs,
  });
  const end = (from: number, count: number): void => {
    for (let n = from; n < from + count; n++) records.ended(`c${n}`);
  };
  return { records, complete, asked, end, pass: (ms: number) => (nowMs += ms), goAway: () => (away = true) };
}

test('how far behind: the age of the oldest, but for those few that may be stuck', async () => {
  const { records, complete, end, pass } = setUp();
  end(0, STUCK);
  pass(500);
  expect(records.behindMs).toBe(0);
  end(100, 5);
  pass(700);
  expect(records.behindMs).toBe(700);
  for (let n = 100; n < 105; n++) complete.add(`c${n}`);
  await records.look();
  expect(records.behindMs).toBe(0);
  expect(records.size).toBe(STUCK);
});

test('nothing is asked while nothing is missing', async () => {
  const { records, asked, complete, end } = setUp();
  await records.look();
  expect(asked).toEqual([]);
  end(0, 1);
  complete.add('c0');
  await records.look();
  await records.look();
  expect(asked).toEqual([['c0']]);
});

test('when no record at all is completed any more nobody is behind: calls go on without worker', async () => {
  const { records, complete, end, pass } = setUp();
  end(0, 100);
  pass(1_200);
  complete.add('c99');
  await records.look();
  pass(1_200);
  await records.look();
  expect(records.behindMs).toBe(2_400);
  pass(100);
  expect(records.behindMs).toBe(0);
  pass(800);
  await records.look();
  expect(records.size).toBe(0);
  // What ends from now on counts again.
  end(200, STUCK + 1);
  pass(1_200);
  expect(records.behindMs).toBe(1_200);
});

test('what was left when the worker came back in time counts', async () => {
  const { records, complete, end, pass } = setUp();
  end(0, 100);
  pass(1_500);
  await records.look();
  expect(records.behindMs).toBe(0);
  complete.add('c0');
  await records.look();
  expect(records.behindMs).toBe(1_500);
});

test('without PostgreSQL it is not known who is behind', async () => {
  const { records, end, pass, goAway } = setUp();
  end(0, 100);
  pass(1_200);
  goAway();
  await records.look();
  expect(records.behindMs).toBe(0);
});
