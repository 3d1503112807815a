import { uuidV7 } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import type { IntendedAttempt } from '../../../store/repositories/capacity-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import type { ClosedAttempt } from '../../../store/repositories/call-repository';
import type { NewCall } from '../../../store/repositories/call-row';
import { EventRepository } from '../../../store/repositories/event-repository';
import { storedAttempts } from '../../support/stored-rows';
import { codeOf, newCall, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

let store: StoreFixture;
let orgId: string;
beforeAll(async () => {
  store = await openStore();
  orgId = await store.newOrg();
});
afterAll(() => store.close());

describe('AttemptRepository', () => {
  const attemptOf = (call: NewCall, attemptId: string, n: number): IntendedAttempt => {
    return { attemptId, call, n, sipCallId: `${attemptId}@host`, nodeId: 'node', bootId: 'boot' };
  };
  const intended = (attempt: IntendedAttempt): Promise<unknown> =>
    new CapacityRepository(store.dataSource).admitCall(attempt, 1_000);
  const begin = async (): Promise<{ attempts: AttemptRepository; id: string; call: NewCall; callId: string }> => {
    const attempts = new AttemptRepository(store.dataSource);
    const id = uuidV7();
    const call = newCall(orgId);
    await intended(attemptOf(call, id, 1));
    return { attempts, id, call, callId: call.id };
  };

  /** The call is over: its last attempt has come to this. */
  const close = async (callId: string, attempt: ClosedAttempt): Promise<void> => {
    const ending = { disposition: 'failed', endReason: null, endedBy: 'system', sip: null } as const;
    const record = { callId, ending, endedAtMs: Date.now(), answeredAtMs: null, metrics: null, truncated: false };
    await new CallRepository(store.dataSource).finaliseCall(record, { attempt });
  };

  it('stores the call with its first attempt, unless it is there already', async () => {
    const { call, callId } = await begin();
    const calls = new CallRepository(store.dataSource);
    const events = new EventRepository(store.dataSource, store.secrets);
    expect(await calls.find(orgId, callId)).toMatchObject({ status: 'queued', toNumber: call.to });
    expect(await calls.insertCall(call)).toBe(false);
    await calls.markStatus(callId, 'dialing');
    await intended(attemptOf({ ...call, to: '+1999' }, uuidV7(), 2));
    expect(await calls.find(orgId, callId)).toMatchObject({ status: 'dialing', toNumber: call.to });
    const { items } = await events.list(orgId, callId);
    expect(items).toMatchObject([
      { source: 'workflow', seq: 1, type: 'call.started', data: { direction: 'outbound' } },
    ]);
  });

  it('begins an attempt once: a second dial of the same attempt, or of the same number, is refused', async () => {
    const { attempts, id, call, callId } = await begin();
    const [attempt] = await storedAttempts(store.dataSource, callId);
    expect(attempt).toMatchObject({ state: 'intended', n: 1, sentAt: null });
    expect(await codeOf(intended(attemptOf(call, id, 1)))).toBe('attempt_exists');
    expect(await codeOf(intended(attemptOf(call, uuidV7(), 1)))).toBe('attempt_exists');
    await intended(attemptOf(call, uuidV7(), 2));
    expect((await storedAttempts(store.dataSource, callId)).map(({ n }) => n)).toEqual([1, 2]);
    expect(await attempts.sent(id)).toBe(true);
  });

  it('moves forward only, and repeating a move changes nothing', async () => {
    const { attempts, id, callId } = await begin();
    expect(await attempts.sent(id)).toBe(true);
    const sentAt = (await storedAttempts(store.dataSource, callId))[0]!.sentAt;
    expect(sentAt).toBeInstanceOf(Date);
    expect(await attempts.sent(id)).toBe(false);
    expect(await attempts.notSent(id)).toBe(false);
    await close(callId, { attemptId: id, state: 'finished' });
    await close(callId, { attemptId: id, state: 'uncertain' });
    expect(await storedAttempts(store.dataSource, callId)).toMatchObject([{ state: 'finished', sentAt }]);
  });

  it('an attempt that may have been sent is never called unsent', async () => {
    const { attempts, id, callId } = await begin();
    await close(callId, { attemptId: id, state: 'uncertain' });
    expect(await attempts.notSent(id)).toBe(false);
    expect((await storedAttempts(store.dataSource, callId))[0]!.state).toBe('uncertain');
    const unsent = await begin();
    expect(await unsent.attempts.notSent(unsent.id)).toBe(true);
    expect(await unsent.attempts.sent(unsent.id)).toBe(false);
    await close(unsent.callId, { attemptId: unsent.id, state: 'finished' });
    expect((await storedAttempts(store.dataSource, unsent.callId))[0]!.state).toBe('not_sent');
    // Nobody knew of it for a while, and then somebody did.
    await close(callId, { attemptId: id, state: 'finished' });
    expect((await storedAttempts(store.dataSource, callId))[0]!.state).toBe('finished');
  });
});

describe('MediaNodeRepository', () => {
  const sighting = (nodeId: string, bootId: string, startedAtMs: number) => ({
    nodeId,
    bootId,
    startedAtMs,
    sipAddress: '127.0.0.1:5060',
    calls: 3,
    configVersion: 5,
    info: { version: '0.1.0' },
  });
  const begins = (nodeId: string, bootId: string, startedAtMs: number) => ({
    ...sighting(nodeId, bootId, startedAtMs),
    begins: true,
  });
  const age = (nodeId: string, seconds: number): Promise<unknown> =>
    store.dataSource.query(`UPDATE media_nodes SET last_seen = now() - $2 * interval '1 second' WHERE node_id = $1`, [
      nodeId,
      seconds,
    ]);

  it('a node that was seen is live until it has been silent too long, by the clock of the database', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    expect(await nodes.seen(sighting('a', 'a1', 1000))).not.toBeNull();
    expect(await nodes.find('a')).toMatchObject({ bootId: 'a1', calls: 3, info: { version: '0.1.0' } });
    expect((await nodes.live(6000)).map(({ nodeId }) => nodeId)).toEqual(['a']);
    await age('a', 7);
    expect(await nodes.live(6000)).toEqual([]);
    expect((await nodes.find('a'))!.ageMs).toBeGreaterThanOrEqual(7000);
    expect(await nodes.find('unknown')).toBeNull();
    await nodes.seen(sighting('a', 'a1', 1000));
    expect((await nodes.find('a'))!.ageMs).toBeLessThan(6000);
  });

  it('a node that lives is behind until it acts on the version, whoever else does', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    await age('a', 7);
    await nodes.seen(sighting('v1', 'v', 1000));
    await nodes.seen({ ...sighting('v2', 'v', 1000), configVersion: 9 });
    expect(await nodes.isBehind(5, 6000)).toBe(false);
    expect(await nodes.isBehind(6, 6000)).toBe(true);
    await nodes.configured({ nodeId: 'v1', bootId: 'another' }, 6);
    expect(await nodes.isBehind(6, 6000)).toBe(true);
    await nodes.configured({ nodeId: 'v1', bootId: 'v' }, 6);
    expect(await nodes.isBehind(6, 6000)).toBe(false);
    expect(await nodes.isBehind(7, 6000)).toBe(true);
    await age('v1', 7);
    expect(await nodes.isBehind(7, 6000)).toBe(false);
    for (const nodeId of ['v1', 'v2']) await nodes.stopped(nodeId, 'v');
  });

  it('a later boot takes the row over and the older one does not get it back', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    await nodes.seen(sighting('b', 'b1', 1000));
    expect(await nodes.seen(begins('b', 'b2', 2000))).not.toBeNull();
    expect(await nodes.seen(sighting('b', 'b1', 1000))).toBeNull();
    expect((await nodes.find('b'))!.bootId).toBe('b2');
    // Its calls were lost with the take-over, however silent the later boot is now.
    await age('b', 60);
    expect(await nodes.seen(sighting('b', 'b1', 1000))).toBeNull();
    expect((await nodes.find('b'))!.bootId).toBe('b2');
  });

  it('a boot with a clock behind takes over once the other has been silent', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    await nodes.seen(sighting('c', 'c1', 5000));
    expect(await nodes.seen(begins('c', 'c2', 1000))).toBeNull();
    await age('c', 4);
    expect(await nodes.seen(begins('c', 'c2', 1000))).not.toBeNull();
    expect((await nodes.find('c'))!.bootId).toBe('c2');
  });

  it('a boot is lost or seen, never both: whichever comes first', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    const boot = { nodeId: 'l', bootId: 'l1' };
    await nodes.seen(begins('l', 'l1', 1000));
    expect(await nodes.declareLost(boot)).toBe(false);
    expect(await nodes.seen(sighting('l', 'l1', 1000))).not.toBeNull();
    await age('l', 7);
    expect(await nodes.declareLost(boot)).toBe(true);
    expect(await nodes.declareLost(boot)).toBe(true);
    expect(await nodes.seen(sighting('l', 'l1', 1000))).toBeNull();
    expect(await nodes.seen(begins('l', 'l1', 1000))).toBeNull();
    expect((await nodes.find('l'))!.ageMs).toBeGreaterThanOrEqual(7000);
    // Another boot is another matter.
    expect(await nodes.seen(begins('l', 'l2', 2000))).not.toBeNull();
    expect(await nodes.declareLost({ nodeId: 'l', bootId: 'l2' })).toBe(false);
    expect(await nodes.declareLost(boot)).toBe(true);
    expect(await nodes.seen(sighting('l', 'l2', 2000))).not.toBeNull();
  });

  it('a boot is lost or seen, never both: at the same moment', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    for (let round = 0; round < 40; round++) {
      const nodeId = `r${round}`;
      await nodes.seen(begins(nodeId, 'boot', 1000));
      await age(nodeId, 7);
      const [seen, lost] = await Promise.all([
        nodes.seen(sighting(nodeId, 'boot', 1000)),
        nodes.declareLost({ nodeId, bootId: 'boot' }),
      ]);
      expect(seen === null).toBe(lost);
    }
  });

  it('a boot that never had a row is lost for good, too', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    expect(await nodes.declareLost({ nodeId: 'n', bootId: 'n1' })).toBe(true);
    expect(await nodes.seen(begins('n', 'n1', 1000))).toBeNull();
    expect(await nodes.live(6000)).not.toContainEqual(expect.objectContaining({ nodeId: 'n' }));
    expect(await nodes.seen(begins('n', 'n2', 2000))).not.toBeNull();
  });

  it('an orderly stop removes the boot, and no other', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    await nodes.seen(sighting('d', 'd2', 2000));
    await nodes.stopped('d', 'd1');
    expect(await nodes.find('d')).not.toBeNull();
    await nodes.stopped('d', 'd2');
    expect(await nodes.find('d')).toBeNull();
  });
});
