import { NodeLifetime } from '../../../media-node/node-lifetime';
import { NodeRegistration } from '../../../media-node/node-registration';
import { createLogger } from '../../../ops/logger';
import type { NodeSighting } from '../../../store/repositories/media-node-repository';
import { sleepOnGlobalTimers } from '../../fakes/fake-sleep';

afterEach(() => {
  jest.useRealTimers();
});

function setUp(options: { readonly failures?: number; readonly own?: () => boolean } = {}) {
  jest.useFakeTimers();
  const log: string[] = [];
  const sightings: NodeSighting[] = [];
  let failures = options.failures ?? 0;
  const lifetime = new NodeLifetime(() => Date.now());
  const registration = new NodeRegistration({
    control: { nodeId: 'n1', bootId: 'b1', listCalls: () => [] },
    description: { sipAddress: '10.0.0.1', maxCalls: 10 },
    nodes: {
      seen: (node) => {
        log.push('seen');
        sightings.push(node);
        return Promise.resolve(options.own?.() ?? true);
      },
      stopped: () => {
        log.push('row removed');
        return Promise.resolve();
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
    },
    lifetime,
    writes: { failing: ['spool'] },
    logger: createLogger({ name: 'test', level: 'silent' }),
    sleep: sleepOnGlobalTimers,
  });
  const times = (what: string): number => log.filter((entry) => entry === what).length;
  return { registration, lifetime, log, sightings, times };
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

test('a boot whose node id another process has taken over does not take it back', async () => {
  let own = true;
  const { registration, lifetime, times } = setUp({ own: () => own });
  await registration.start();
  lifetime.watched();
  own = false;
  await jest.advanceTimersByTimeAsync(40_000);
  expect(times('nodeStarted')).toBe(1);
  // The other one is gone: its row was given up for silent.
  own = true;
  await jest.advanceTimersByTimeAsync(3_000);
  expect(times('nodeStarted')).toBe(2);
  await registration.abandon();
});
