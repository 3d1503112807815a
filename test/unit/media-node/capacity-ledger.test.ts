import { setImmediate as nextTurn } from 'node:timers/promises';
import { CapacityLedger } from '../../../media-node/capacity-ledger';
import { createLogger } from '../../../ops/logger';
import { StoreError } from '../../../store/errors';
import type {
  CapacityAdmission,
  CapacityHolder,
  CapacityTurn,
  IntendedAttempt,
} from '../../../store/repositories/capacity-repository';

const TRUNK = { orgId: 'org', trunkId: 'trunk' };
const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const attemptOf = (attemptId: string): IntendedAttempt =>
  ({ attemptId, call: { orgId: 'org' }, n: 1, sipCallId: attemptId, nodeId: 'n', bootId: 'b' }) as IntendedAttempt;

/** A ledger with a database and a Temporal that answer as the test says, on a clock of its own. */
function setUp() {
  const log: string[] = [];
  const state = {
    nowMs: 0,
    admission: { ok: true, waitMs: 0, spacingMs: null } as CapacityAdmission | Error,
    turn: { abandoned: [], waiting: [] } as CapacityTurn | Error,
    refusal: null as string | null | Error,
    next: [] as string[],
    gone: false,
  };
  const answer = <T>(value: T | Error): Promise<T> =>
    value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  let wake: () => void = () => undefined;
  const ledger = new CapacityLedger({
    boot: { nodeId: 'n', bootId: 'b' },
    store: {
      admitCall: () => answer(state.admission),
      admitCampaignCall: () => answer(state.admission),
      campaignRefusal: (_callId, { version }) => {
        log.push(`ask v${version}`);
        return answer(state.refusal);
      },
      admitLeg: () => answer(state.admission),
      takeTurn: () => answer(state.admission),
      coolDown: (trunkId, ms) => Promise.resolve(void log.push(`cool ${trunkId} ${ms}`)),
      inUse: () => Promise.resolve([]),
      leaveQueue: (callId) => {
        log.push(`leave ${callId}`);
        return Promise.resolve([]);
      },
      release: (leaseId) => {
        log.push(`release ${leaseId}`);
        return Promise.resolve(state.next);
      },
      hold: (_boot, held: readonly CapacityHolder[], { watching }) => {
        log.push(`hold ${held.map(({ leaseId }) => leaseId).join(',')}${watching ? ' watching' : ''}`);
        return answer(state.turn);
      },
    },
    workflows: {
      signalCapacity: (callId) => {
        log.push(`call ${callId}`);
        return Promise.resolve(state.gone ? 'gone' : 'delivered');
      },
    },
    logger: createLogger({ name: 'test', level: 'silent' }),
    nowMs: () => state.nowMs,
    sleep: async (ms, _value, { signal }) => {
      if (signal === undefined) {
        state.nowMs += ms;
        return void log.push(`sleep ${ms}`);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal.addEventListener('abort', () => resolve());
      });
    },
  });
  const turn = async (afterMs: number): Promise<void> => {
    state.nowMs += afterMs;
    wake();
    await nextTurn();
  };
  return { ledger, log, state, turn };
}

test('a dial sleeps until its turn, holds its place while its call lives, and calls the next one', async () => {
  const { ledger, log, state } = setUp();
  state.admission = { ok: true, waitMs: 700, spacingMs: null };
  expect(await ledger.admitCall(attemptOf('a1'), 'trunk')).toBeNull();
  expect(log).toEqual(['sleep 700']);
  state.next = ['waiting-1'];
  ledger.attemptOver('a1');
  ledger.attemptOver('a1');
  await nextTurn();
  expect(log).toEqual(['sleep 700', 'release a1', 'call waiting-1']);
});

test('a dial without room holds nothing; one whose answer was lost may, and gives it back', async () => {
  const { ledger, log, state } = setUp();
  state.admission = { ok: false, reason: 'trunk_rate', retryInMs: 1_500 };
  expect(await ledger.admitCall(attemptOf('a1'), 'trunk')).toMatchObject({ reason: 'trunk_rate' });
  ledger.attemptOver('a1');
  state.admission = away;
  await expect(ledger.admitCall(attemptOf('a2'), 'trunk')).rejects.toBe(away);
  // The place is of whoever has begun the attempt.
  state.admission = new StoreError('attempt_exists', 'begun');
  await expect(ledger.admitCall(attemptOf('a3'), 'trunk')).rejects.toMatchObject({ code: 'attempt_exists' });
  await nextTurn();
  expect(log).toEqual(['release a2']);
});

test('INVITEs of a trunk leave at its distance, though PostgreSQL has answered the first one late', async () => {
  const { ledger, log, state } = setUp();
  state.admission = { ok: true, waitMs: 0, spacingMs: 1_000 };
  state.nowMs = 300;
  expect(await ledger.admitCall(attemptOf('a1'), 'trunk')).toBeNull();
  state.nowMs = 1_000;
  expect(await ledger.admitCall(attemptOf('a2'), 'trunk')).toBeNull();
  expect(state.nowMs).toBe(1_280);
  await ledger.occupy(TRUNK);
  expect(state.nowMs).toBe(2_260);
  await ledger.turn({ ...TRUNK, trunkId: 'other' });
  expect(state.nowMs).toBe(2_260);
  expect(log).toEqual(['sleep 260', 'sleep 20', 'sleep 960', 'sleep 20']);
});

test('a place that comes after its dial was given up is given back', async () => {
  const { ledger, log, state } = setUp();
  const slow = ledger.admitCall(attemptOf('a1'), 'trunk');
  ledger.attemptOver('a1');
  await slow;
  await nextTurn();
  expect(log).toEqual(['release a1']);
  expect(state.admission).toMatchObject({ ok: true });
});

test('a leg finds no room where PostgreSQL does not say that there is some', async () => {
  const { ledger, log, state } = setUp();
  const giveBack = await ledger.occupy(TRUNK);
  giveBack?.();
  await nextTurn();
  expect(log).toHaveLength(1);
  state.admission = away;
  expect(await ledger.occupy(TRUNK)).toBeNull();
  expect(await ledger.turn(TRUNK)).toBe(false);
  state.admission = { ok: false, reason: 'trunk_concurrency', retryInMs: null };
  expect(await ledger.occupy(TRUNK)).toBeNull();
});

test('a trunk that wants to be left in peace is, for all nodes', () => {
  const { ledger, log } = setUp();
  ledger.congested('trunk', 7_000);
  expect(log).toEqual(['cool trunk 7000']);
});

test('others are taken for silent after 15 s of an uninterrupted view, and anew after each interruption', async () => {
  const { ledger, log, state, turn } = setUp();
  await ledger.admitCall(attemptOf('a1'), 'trunk');
  ledger.start();
  await nextTurn();
  for (let n = 0; n < 2; n++) await turn(10_000);
  expect(log.splice(0)).toEqual(['hold a1', 'hold a1', 'hold a1 watching']);
  state.turn = away;
  await turn(10_000);
  state.turn = { abandoned: [], waiting: [] };
  await turn(10_000);
  expect(log.splice(0)).toEqual(['hold a1 watching', 'hold a1']);
  await turn(10_000);
  await turn(10_000);
  expect(log.splice(0)).toEqual(['hold a1', 'hold a1 watching']);
  // This process was stopped for a minute.
  await turn(60_000);
  expect(log.splice(0)).toEqual(['hold a1']);
  await ledger.stop();
});

test('what is abandoned is given back, who waits is called, and whose workflow is gone leaves the queue', async () => {
  const { ledger, log, state } = setUp();
  state.turn = { abandoned: ['dead-1'], waiting: ['waiting-1'] };
  state.gone = true;
  ledger.start();
  await nextTurn();
  expect(log).toEqual(['hold ', 'release dead-1', 'call waiting-1', 'leave waiting-1']);
  await ledger.stop();
});

describe('a campaign’s call', () => {
  const campaign = { campaignId: 'c', contactId: 'p', version: 1, checks: [] };

  test('that has waited for its turn is asked after once more, and its place is given back when nobody wants it', async () => {
    const { ledger, log, state } = setUp();
    state.admission = { ok: true, waitMs: 900, spacingMs: null };
    expect(await ledger.admitCall(attemptOf('a1'), 'trunk', campaign)).toBeNull();
    state.refusal = 'campaign_not_running';
    const refused = { ok: false, refusal: 'campaign_not_running' };
    expect(await ledger.admitCall(attemptOf('a2'), 'trunk', campaign)).toEqual(refused);
    await nextTurn();
    expect(log).toEqual(['sleep 900', 'ask v1', 'sleep 900', 'ask v1', 'release a2']);
  });

  test('of which nobody knows whether it is still wanted is not dialled', async () => {
    const { ledger, log, state } = setUp();
    state.admission = { ok: true, waitMs: 900, spacingMs: null };
    state.refusal = away;
    await expect(ledger.admitCall(attemptOf('a1'), 'trunk', campaign)).rejects.toBe(away);
    await nextTurn();
    expect(log).toEqual(['sleep 900', 'ask v1', 'release a1']);
  });

  test('that was late and came behind others is asked after anew, at the end of its wait', async () => {
    const { ledger, log, state } = setUp();
    state.admission = { ok: true, waitMs: 0, spacingMs: 1_000 };
    expect(await ledger.admitCall(attemptOf('a1'), 'trunk', campaign)).toBeNull();
    state.refusal = 'campaign_not_running';
    const refused = { ok: false, refusal: 'campaign_not_running' };
    expect(await ledger.admitCall(attemptOf('a2'), 'trunk', campaign)).toEqual(refused);
    await nextTurn();
    expect(log).toEqual(['sleep 960', 'ask v1', 'release a2']);
  });

  test('where many are late, one is asked after for all of its campaign', async () => {
    const { ledger, log, state } = setUp();
    state.admission = { ok: true, waitMs: 0, spacingMs: 100 };
    const calls = Array.from({ length: 12 }, (_, n) => ledger.admitCall(attemptOf(`a${n}`), 'trunk', campaign));
    expect(await Promise.all(calls)).toEqual(calls.map(() => null));
    // Six of them are late by half a second and more.
    expect(log.filter((line) => line.startsWith('ask'))).toEqual(['ask v1', 'ask v1']);
  });

  test('that leaves at once is not asked after again', async () => {
    const { ledger, state } = setUp();
    state.refusal = 'campaign_not_running';
    expect(await ledger.admitCall(attemptOf('a1'), 'trunk', campaign)).toBeNull();
  });
});
