import { createMediaActivities } from '../../../../activities/media/media-activities';
import { NodeLifetime } from '../../../../media-node/node-lifetime';
import { createLogger } from '../../../../ops/logger';
import { sealDetails } from '../../../../store/call-details';
import { StoreError } from '../../../../store/errors';
import { attemptIdOf } from '../../../../store/ids';
import type { CapacityWait } from '../../../../contract/capacity';
import type { IntendedAttempt } from '../../../../store/repositories/capacity-repository';
import type { NewCall } from '../../../../store/repositories/call-row';
import { newMasterKey, SecretBox } from '../../../../store/secrets';
import type { DialInput } from '../../../../workflows/call/activities';
import type { OutboundCallInput } from '../../../../workflows/call/input';
import { FakeMediaControl } from '../../../fakes/fake-media-control';
import type { DialPlan } from '../../../fakes/fake-media-control';
import { sleepOnGlobalTimers } from '../../../fakes/fake-sleep';

const secrets = new SecretBox(newMasterKey());
const ids = { callId: 'call-1', orgId: 'org-1' };
const call: OutboundCallInput = {
  ...ids,
  direction: 'outbound',
  agentId: 'agent',
  trunkId: 'trunk',
  sessionId: 'session',
  sealed: sealDetails(secrets, ids, { from: '+1', to: '+2', firstMessage: 'Hi', metadata: {} }),
  createdAtMs: 1_700_000_000_000,
  acceptByMs: 1_700_000_005_000,
  dialByMs: 1_700_000_060_000,
  ringTimeoutSeconds: 30,
  maxDurationSeconds: 60,
};
const input: DialInput = { call, n: 2 };

function setUp(plan: DialPlan = { kind: 'ring' }) {
  const log: string[] = [];
  const control = new FakeMediaControl('n1', 'b1', { report: () => undefined, flush: () => Promise.resolve(true) });
  control.plan = () => plan;
  control.onInvite = () => log.push('INVITE');
  const rows: NewCall[] = [];
  const capacity = {
    admitCall: (attempt: IntendedAttempt): Promise<CapacityWait | null> => {
      rows.push(attempt.call);
      log.push('intended');
      return Promise.resolve(null);
    },
    campaignRefusal: () => Promise.resolve(null),
  };
  const attempts = {
    sent: () => {
      log.push('sent');
      return Promise.resolve(true);
    },
    notSent: () => {
      log.push('not_sent');
      return Promise.resolve(true);
    },
  };
  const unplaced = new Set<string>();
  const time = { nowMs: 0 };
  const lifetime = new NodeLifetime({ nowMs: () => time.nowMs, epochMs: () => time.nowMs });
  const activities = () =>
    createMediaActivities({
      control,
      attempts,
      capacity,
      dialFacts: {
        facts: () => Promise.reject(new Error('no call of a campaign')),
        refused: () => Promise.resolve(),
      },
      calls: {
        markStatus: () => Promise.resolve(true),
        insertCall: (row) => {
          log.push(`row ${row.id}`);
          return Promise.resolve(true);
        },
      },
      secrets,
      lifetime,
      untold: () => false,
      toldEnd: (callId, timeoutMs) => {
        log.push(`waits ${timeoutMs} ms for the end of ${callId}`);
        return Promise.resolve();
      },
      unplaced,
      logger: createLogger({ name: 'test', level: 'silent' }),
      sleep: sleepOnGlobalTimers,
    });
  return { log, rows, control, attempts, capacity, unplaced, lifetime, time, activities };
}

test('a call is unplaced as long as its dial is under way, however that ends', async () => {
  for (const kind of ['ring', 'fail_after_invite'] as const) {
    const { control, unplaced, activities } = setUp({ kind });
    const during: string[][] = [];
    control.onInvite = () => during.push([...unplaced]);
    await activities()
      .dialCall(input)
      .catch(() => undefined);
    expect([during, [...unplaced]]).toEqual([[[call.callId]], []]);
  }
});

test('the attempt is intended before the INVITE and sent after it; its Call-ID follows from the attempt', async () => {
  const { log, rows, control, activities } = setUp();
  const outcome = await activities().dialCall(input);
  const attemptId = attemptIdOf('call-1', 2);
  expect(outcome).toEqual({ sent: true, nodeId: 'n1', bootId: 'b1', sipCallId: attemptId });
  expect(log).toEqual(['intended', 'INVITE', 'sent']);
  expect(rows).toMatchObject([{ id: 'call-1', from: '+1', to: '+2', status: 'queued', createdAtMs: call.createdAtMs }]);
  expect(control.dials).toMatchObject([
    { attemptId, sipCallId: attemptId, to: '+2', callerNumber: '+1', firstMessage: 'Hi' },
  ]);
});

describe('with PostgreSQL away when the INVITE has left', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('a mark that fails does not fail the dial, and is given up some time', async () => {
    const { attempts, activities } = setUp();
    let tries = 0;
    attempts.sent = () => {
      tries++;
      return Promise.reject(new Error('away'));
    };
    expect(await activities().dialCall(input)).toMatchObject({ sent: true });
    await jest.advanceTimersByTimeAsync(120_000);
    const triedUntilGivenUp = tries;
    await jest.advanceTimersByTimeAsync(120_000);
    expect(tries).toBe(triedUntilGivenUp);
    expect(tries).toBeLessThan(60);
  });

  test.each([1_000, 5_000, 20_000])('the attempt is marked as sent when it is back after %d ms', async (awayMs) => {
    const { log, attempts, activities } = setUp();
    const backAtMs = Date.now() + awayMs;
    attempts.sent = () => {
      if (Date.now() < backAtMs) return Promise.reject(new Error('connection refused'));
      log.push('sent');
      return Promise.resolve(true);
    };
    expect(await activities().dialCall(input)).toMatchObject({ sent: true });
    await jest.advanceTimersByTimeAsync(awayMs + 3_000);
    expect(log).toEqual(['intended', 'INVITE', 'sent']);
  });
});

test('a dial without room sends nothing, has no attempt, and says what it waits for', async () => {
  const { log, capacity, activities } = setUp();
  capacity.admitCall = () => Promise.resolve({ reason: 'trunk_rate', retryInMs: 1_500 });
  expect(await activities().dialCall(input)).toEqual({
    sent: false,
    code: 'no_capacity',
    reason: 'trunk_rate',
    retryInMs: 1_500,
  });
  expect(log).toEqual([]);
});

test('without a stored intention nothing is sent', async () => {
  const { log, capacity, activities } = setUp();
  capacity.admitCall = () => Promise.reject(new Error('connection refused'));
  expect(await activities().dialCall(input)).toMatchObject({ sent: false, code: 'store_unavailable' });
  expect(log).not.toContain('INVITE');
});

test('an attempt that was begun before is not begun again, and nobody claims that nothing left', async () => {
  const { log, capacity, activities } = setUp();
  capacity.admitCall = () => Promise.reject(new StoreError('attempt_exists', 'begun'));
  await expect(activities().dialCall(input)).rejects.toMatchObject({ type: 'dial_unknown', nonRetryable: true });
  expect(log).not.toContain('INVITE');
});

test('a node that fails while it dials leaves the outcome unknown, without its words', async () => {
  const { activities } = setUp({ kind: 'fail_after_invite' });
  const failure = await activities()
    .dialCall(input)
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'dial_unknown' });
  expect(String((failure as Error).message)).not.toContain('socket');
});

test('a dial that reaches a node which stood still until now is not begun: it may have been given up', async () => {
  const { log, lifetime, time, activities } = setUp();
  time.nowMs = 8_000;
  expect(await activities().dialCall(input)).toEqual({ sent: false, code: 'too_late' });
  // Its standing is known again, but the dial may have been on its way before.
  lifetime.standing.tick();
  lifetime.standing.ask()();
  expect(await activities().dialCall(input)).toEqual({ sent: false, code: 'too_late' });
  expect(log).toEqual([]);
  time.nowMs += 2_000;
  expect(await activities().dialCall(input)).toMatchObject({ sent: true });
});

test('a refusal after the intention closes the attempt as not sent', async () => {
  const { log, control, activities } = setUp();
  control.tombstone('call-1');
  expect(await activities().dialCall(input)).toMatchObject({ sent: false, code: 'tombstoned' });
  expect(log).toEqual(['intended', 'not_sent']);
});

test('a command for another boot of the node is for a call it does not have', async () => {
  const { control, activities } = setUp();
  const command = { callId: 'call-1', commandId: 'c', bootId: 'b0', endReason: 'api_hangup', endedBy: 'api' } as const;
  expect(await activities().hangupCall(command)).toEqual({ ok: false, code: 'call_unknown' });
  await activities().endOrphanedCall({ callId: 'call-1', bootId: 'b0' });
  expect(control.hangups).toEqual([]);
  expect(control.lost).toEqual([]);
});

test('details that do not open are no dial: nothing was sent, and another node may have the key', async () => {
  const { log, activities } = setUp();
  const foreign = sealDetails(new SecretBox(newMasterKey()), ids, {
    from: '+1',
    to: '+2',
    firstMessage: null,
    metadata: {},
  });
  expect(await activities().dialCall({ ...input, call: { ...call, sealed: foreign } })).toEqual({
    sent: false,
    code: 'unreadable',
  });
  expect(log).toEqual([]);
});

test('the words of a refusal do not leave the node', async () => {
  const { activities } = setUp({ kind: 'refuse', code: 'no_port' });
  expect(await activities().dialCall(input)).toEqual({ sent: false, code: 'no_port' });
});

test('a call that ended before its INVITE has an attempt that was not sent, and its node is named', async () => {
  const { log, activities } = setUp({ kind: 'unreachable', reason: 'connection refused' });
  const sipCallId = attemptIdOf('call-1', 2);
  expect(await activities().dialCall(input)).toEqual({
    sent: false,
    code: 'ended',
    nodeId: 'n1',
    bootId: 'b1',
    sipCallId,
  });
  expect(log).toEqual(['intended', 'not_sent']);
});

test('a dial that waits for a name server stores the row of the call meanwhile, once', async () => {
  jest.useFakeTimers();
  try {
    const { log, control, activities } = setUp();
    const dial = control.dial.bind(control);
    control.dial = async (...given) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return await dial(...given);
    };
    const outcome = activities().dialCall(input);
    await jest.advanceTimersByTimeAsync(900);
    expect(log).toEqual([]);
    await jest.advanceTimersByTimeAsync(200);
    expect(log).toEqual(['row call-1']);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toMatchObject({ sent: true });
    expect(log).toEqual(['row call-1', 'intended', 'INVITE', 'sent']);
  } finally {
    jest.useRealTimers();
  }
});

test('an attempt that cannot be marked as not sent does not hold up the answer', async () => {
  jest.useFakeTimers();
  try {
    const { log, attempts, capacity, activities } = setUp();
    capacity.admitCall = () => Promise.reject(new Error('connection refused'));
    attempts.notSent = () => new Promise<never>(() => undefined);
    const outcome = activities().dialCall(input);
    await jest.advanceTimersByTimeAsync(1_500);
    const late = Promise.resolve('still under way');
    expect(await Promise.race([outcome, late])).toEqual({ sent: false, code: 'store_unavailable' });
    expect(log).toEqual([]);
  } finally {
    jest.useRealTimers();
  }
});

test('a PostgreSQL that stands still is known to have sent nothing before the workflow gives the dial up', async () => {
  jest.useFakeTimers();
  try {
    const { log, attempts, capacity, activities } = setUp();
    attempts.notSent = capacity.admitCall = () => new Promise<never>(() => undefined);
    const outcome = activities().dialCall(input);
    await jest.advanceTimersByTimeAsync(4_500);
    const late = Promise.resolve('still under way');
    expect(await Promise.race([outcome, late])).toEqual({ sent: false, code: 'store_unavailable' });
    // If only the admission does, the call has its row.
    expect(log).toEqual(['row call-1']);
  } finally {
    jest.useRealTimers();
  }
});

test('the answer to a hang-up waits for the end of the call, which says the same, for a moment; other answers do not', async () => {
  jest.useFakeTimers();
  try {
    const { log, control, activities } = setUp();
    control.inbound('call-1', 'org', 'sip');
    const hangup = { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' } as const;
    const command = { ...ids, commandId: 'c', bootId: 'b1' };
    const answer = activities().controlCall({ ...command, control: hangup });
    await jest.advanceTimersByTimeAsync(250);
    expect(await Promise.race([answer, Promise.resolve('still waits')])).toBe('still waits');
    await jest.advanceTimersByTimeAsync(100);
    expect(await answer).toEqual({ ok: true });
    expect(log).toEqual(['waits 400 ms for the end of call-1']);
    expect(await activities().controlCall({ ...command, callId: 'unknown', control: hangup })).toEqual({
      ok: false,
      code: 'call_unknown',
    });
  } finally {
    jest.useRealTimers();
  }
});
