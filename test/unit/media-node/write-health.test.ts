import { WriteHealth } from '../../../media-node/write-health';
import { createLogger } from '../../../ops/logger';

afterEach(() => {
  jest.useRealTimers();
});

function setUp() {
  jest.useFakeTimers();
  const logged: { msg: string; store: string }[] = [];
  const refused = new Set<string>();
  const asked: string[] = [];
  const probe = (name: string) => ({
    name,
    write: () => {
      asked.push(name);
      return refused.has(name) ? Promise.reject(new Error('no space left')) : Promise.resolve();
    },
  });
  const health = new WriteHealth({
    probes: [probe('temporal'), probe('spool')],
    logger: createLogger({
      name: 'test',
      level: 'info',
      destination: { write: (line) => logged.push(JSON.parse(line) as (typeof logged)[number]) },
    }),
  });
  health.start();
  return { health, refused, asked, logged };
}

test('what refuses twice in a row is named, in the log once, until it takes writes again', async () => {
  const { health, refused, logged } = setUp();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(health.failing).toEqual([]);
  refused.add('spool');
  await jest.advanceTimersByTimeAsync(1_000);
  expect(health.failing).toEqual([]);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(health.failing).toEqual(['spool']);
  expect(logged.map(({ msg, store }) => [store, msg])).toEqual([
    ['spool', 'writes are refused: no new calls are taken'],
  ]);
  refused.clear();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(health.failing).toEqual([]);
  expect(logged.at(-1)).toMatchObject({ store: 'spool', msg: 'writes are taken again' });
  health.stop();
});

test('one refusal alone is none', async () => {
  const { health, refused } = setUp();
  for (let n = 0; n < 4; n++) {
    refused.add('temporal');
    await jest.advanceTimersByTimeAsync(1_000);
    refused.clear();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(health.failing).toEqual([]);
  }
  health.stop();
});

test('one that says nothing is not asked again meanwhile, and none is after the stop', async () => {
  jest.useFakeTimers();
  let asked = 0;
  const silent = { name: 'postgresql', write: () => new Promise<void>(() => (asked += 1)) };
  const health = new WriteHealth({ probes: [silent], logger: createLogger({ name: 'test', level: 'silent' }) });
  health.start();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(asked).toBe(1);
  expect(health.failing).toEqual([]);
  health.stop();
  expect(jest.getTimerCount()).toBe(0);
});
