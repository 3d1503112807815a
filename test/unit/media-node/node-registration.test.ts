import { NodeLifetime } from '../../../media-node/node-lifetime';
import { NodeRegistration } from '../../../media-node/node-registration';
import { createLogger } from '../../../ops/logger';
import type { MediaNodeRecord, NodeSighting } from '../../../store/repositories/media-node-repository';
import { sleepOnGlobalTimers } from '../../fakes/fake-sleep';

afterEach(() => {
  jest.useRealTimers();
});

type BootStanding = 'watched' | 'lost' | 'unknown';

interface Surroundings {
  readonly failures?: number;
  /** What PostgreSQL answers; null: nothing, it is away. */
  readonly own?: () => boolean | null | Promise<boolean>;
  /** Whose the node's row is. */
  readonly row?: string;
  readonly surveyId?: () => string | null;
  readonly listFailures?: () => boolean;
  /** What the node's workflow answers; null: Temporal is away. */
  readonly word?: () => BootStanding | null;
}

function row(bootId: string): MediaNodeRecord {
  const at = new Date(0);
  return { nodeId: 'n1', bootId, lastSeen: at, ageMs: 0, startedAt: at, sipAddress: null, calls: 0, info: {} };
}

function setUp(options: Surroundings = {}) {
  jest.useFakeTimers();
  const log: string[] = [];
  const sightings: NodeSighting[] = [];
  let failures = options.failures ?? 0;
  let losses = 0;
  const lifetime = new NodeLifetime({ nowMs: () => Date.now(), onLost: () => losses++ });
  const registration = new NodeRegistration({
    control: { nodeId: 'n1', bootId: 'b1', listCalls: () => [] },
    description: { sipAddress: '10.0.0.1', maxCalls: () => 10 },
    nodes: {
      seen: (node) => {
        log.push('seen');
        sightings.push(node);
        const own = options.own === undefined ? true : options.own();
        if (own === null) return Promise.reject(new Error('PostgreSQL is away'));
        return Promise.resolve(own).then((seen) => (seen ? { surveyId: options.surveyId?.() ?? null } : null));
      },
      find: () => Promise.resolve(options.row === undefined ? null : row(options.row)),
      stopped: () => {
        log.push('row removed');
        return Promise.resolve();
      },
    },
    configVersion: () => 7,
    tellConfigured: (_boot, version) => log.push(`configured ${version}`),
    lists: {
      tell: (surveyId, { bootId, calls }) => {
        log.push(`told ${surveyId}: ${calls.length} calls of ${bootId}`);
        return (options.listFailures?.() ?? false) ? Promise.reject(new Error('away')) : Promise.resolve();
      },
    },
    temporal: {
      nodeStarted: () => {
        log.push('nodeStarted');
        return failures-- > 0 ? Promise.reject(new Error('unavailable')) : Promise.resolve();
      },
      nodeStopped: () => {
        log.push('nodeStopped');
        return Promise.resolve();
      },
      bootStanding: () => {
        const word = options.word?.() ?? null;
        return word === null ? Promise.reject(new Error('Temporal is away')) : Promise.resolve(word);
      },
    },
    lifetime,
    writes: { failing: ['spool'] },
    logger: createLogger({ name: 'test', level: 'silent' }),
    sleep: sleepOnGlobalTimers,
  });
  const times = (what: string): number => log.filter((entry) => entry === what).length;
  /** The process is stopped for so long, and goes on. */
  const standStill = (ms: number): unknown => jest.setSystemTime(Date.now() + ms);
  return { registration, lifetime, log, sightings, times, standStill, losses: () => losses };
}

test('the row comes before nodeStarted, which is repeated until Temporal has it', async () => {
  const { registration, log, times } = setUp({ failures: 2 });
  const started = registration.start();
  await jest.advanceTimersByTimeAsync(3_000);
  await started;
  expect(log[0]).toBe('seen');
  expect(times('nodeStarted')).toBe(3);
  expect(times('seen')).toBeGreaterThanOrEqual(3);
  await registration.abandon();
});

test('the row says where phone systems find the node', async () => {
  const { registration, sightings } = setUp();
  await registration.start();
  expect(sightings).toMatchObject([{ nodeId: 'n1', bootId: 'b1', sipAddress: '10.0.0.1', info: { max_calls: 10 } }]);
  await registration.abandon();
});

test('the row says which configuration the node acts on, each second and at once when it is another', async () => {
  const { registration, sightings, log } = setUp();
  registration.configured(6);
  expect(log).toEqual([]); // There is no row of this boot yet: its first sign of life will say it.
  await registration.start();
  expect(sightings[0]).toMatchObject({ configVersion: 7 });
  registration.configured(8);
  expect(log.at(-1)).toBe('configured 8');
  await registration.abandon();
});

test('a boot that nobody watches for 15 s announces itself again', async () => {
  const { registration, lifetime, times } = setUp();
  await registration.start();
  for (let s = 0; s < 30; s++) {
    lifetime.watched();
    await jest.advanceTimersByTimeAsync(1_000);
  }
  expect(times('nodeStarted')).toBe(1);
  await jest.advanceTimersByTimeAsync(20_000);
  expect(times('nodeStarted')).toBe(2);
  await registration.abandon();
});

test('an orderly stop says so to both, a boot with calls left just falls silent', async () => {
  const orderly = setUp();
  await orderly.registration.start();
  await orderly.registration.stop();
  expect(orderly.log).toEqual(expect.arrayContaining(['nodeStopped', 'row removed']));
  const abrupt = setUp();
  await abrupt.registration.start();
  await abrupt.registration.abandon();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(abrupt.times('nodeStopped')).toBe(0);
  expect(abrupt.times('seen')).toBe(1);
});

test('a boot that begins waits for the row as long as another one has it, and announces itself no second time', async () => {
  let own = false;
  const { registration, sightings, times, losses } = setUp({ own: () => own });
  await registration.start();
  await jest.advanceTimersByTimeAsync(40_000);
  expect(times('nodeStarted')).toBe(1);
  expect(sightings.every(({ begins }) => begins)).toBe(true);
  own = true;
  await jest.advanceTimersByTimeAsync(3_000);
  expect(times('nodeStarted')).toBe(2);
  expect(sightings.at(-1)).toMatchObject({ begins: false });
  expect(losses()).toBe(0);
  await registration.abandon();
});

test('whoever asks for its calls gets them once, and again when that failed', async () => {
  let surveyId: string | null = null;
  let failing = false;
  const { registration, log } = setUp({ surveyId: () => surveyId, listFailures: () => failing });
  await registration.start();
  await jest.advanceTimersByTimeAsync(2_000);
  const told = (): string[] => log.filter((entry) => entry.startsWith('told'));
  expect(told()).toEqual([]);
  surveyId = 's1';
  await jest.advanceTimersByTimeAsync(3_000);
  expect(told()).toEqual(['told s1: 0 calls of b1']);
  surveyId = 's2';
  failing = true;
  await jest.advanceTimersByTimeAsync(1_000);
  failing = false;
  await jest.advanceTimersByTimeAsync(5_000);
  expect(told().slice(1)).toEqual(['told s2: 0 calls of b1', 'told s2: 0 calls of b1']);
  await registration.abandon();
});

describe('a boot that was declared lost, or whose row another one has taken over', () => {
  test('finds out with its next sign of life, once, and shows none any more', async () => {
    let own = true;
    const { registration, lifetime, times, losses } = setUp({ own: () => own });
    await registration.start();
    own = false;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(lifetime.standing.current).toBe('lost');
    const shown = times('seen');
    own = true;
    await jest.advanceTimersByTimeAsync(60_000);
    expect([losses(), times('seen'), times('nodeStarted')]).toEqual([1, shown, 1]);
    expect(lifetime.standing.current).toBe('lost');
    await registration.abandon();
  });

  test('finds out also when it was given up before it ever had its row', async () => {
    const never = setUp({ own: () => false, row: 'b1' });
    await never.registration.start();
    expect(never.losses()).toBe(1);
    await never.registration.abandon();
    const stranger = setUp({ own: () => false, row: 'b2' });
    await stranger.registration.start();
    expect(stranger.losses()).toBe(0);
    await stranger.registration.abandon();
  });

  test('does not believe an answer that was under way while it stood still', async () => {
    const answers: ((own: boolean) => void)[] = [];
    let waiting = false;
    const { registration, lifetime, standStill, losses } = setUp({
      own: () => (waiting ? new Promise<boolean>((resolve) => answers.push(resolve)) : true),
    });
    await registration.start();
    waiting = true;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(answers).toHaveLength(1);
    standStill(8_000);
    answers[0]?.(true);
    await jest.advanceTimersByTimeAsync(0);
    expect(lifetime.standing.current).toBe('doubtful');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(answers).toHaveLength(2);
    answers[1]?.(false);
    await jest.advanceTimersByTimeAsync(0);
    expect(lifetime.standing.current).toBe('lost');
    expect(losses()).toBe(1);
    await registration.abandon();
  });

  test.each([
    ['the workflow has given it up', 'lost', 'lost'],
    ['the workflow watches it', 'watched', 'good'],
    ['the workflow does not know it', 'unknown', 'doubtful'],
    ['Temporal is away, too', null, 'doubtful'],
  ] as const)('comes back while PostgreSQL is away: %s', async (_, word, standing) => {
    let own: boolean | null = true;
    const { registration, lifetime, standStill, losses } = setUp({ own: () => own, word: () => word });
    await registration.start();
    own = null;
    standStill(8_000);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(lifetime.standing.current).toBe(standing);
    expect(losses()).toBe(standing === 'lost' ? 1 : 0);
    if (standing !== 'doubtful') return;
    own = false;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(losses()).toBe(1);
  });

  test('that did not stand still is not in doubt while PostgreSQL is away, and asks nobody', async () => {
    let own: boolean | null = true;
    const word = jest.fn(() => 'lost' as const);
    const { registration, lifetime } = setUp({ own: () => own, word });
    await registration.start();
    own = null;
    await jest.advanceTimersByTimeAsync(120_000);
    expect(lifetime.standing.current).toBe('good');
    expect(word).not.toHaveBeenCalled();
    lifetime.unwatched();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(lifetime.standing.current).toBe('lost');
    await registration.abandon();
  });
});
