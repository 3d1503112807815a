import fc from 'fast-check';
import { uuidV7 } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import type { CapacityAdmission, CapacityHolder } from '../../../store/repositories/capacity-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { storedAttempts } from '../../support/stored-rows';
import { newCall, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const AHEAD_MS = 1_000;
const boot = { nodeId: 'node', bootId: 'boot' };
const NO_LIMITS = { maxConcurrentCalls: null, maxCallsPerSecond: null };

let store: StoreFixture;
let ledger: CapacityRepository;
let orgId: string;
/** A machine that is slow must not make its boot a silent one, nor what others have left behind late. */
beforeEach(async () => {
  await seen(boot.nodeId, boot.bootId);
  await store.dataSource.query('DELETE FROM capacity_queue');
  await store.dataSource.query('DELETE FROM capacity_leases');
});
beforeAll(async () => {
  store = await openStore();
  ledger = new CapacityRepository(store.dataSource);
  orgId = await store.newOrg();
});
afterAll(() => store.close());

async function trunkOf(
  limits: { readonly maxConcurrentCalls?: number | null; readonly maxCallsPerSecond?: number | null },
  org = orgId,
): Promise<string> {
  const id = uuidV7();
  await store.dataSource.query(
    `INSERT INTO outbound_trunks (id, org_id, name, host, port, transport, username, password_sealed, caller_number,
       max_concurrent_calls, max_calls_per_second) VALUES ($1, $2, 'T', 'h', 5060, 'udp', 'u', '', '+1', $3, $4)`,
    [id, org, limits.maxConcurrentCalls ?? null, limits.maxCallsPerSecond ?? null],
  );
  return id;
}

interface Dial {
  readonly callId: string;
  readonly attemptId: string;
  admit(): Promise<CapacityAdmission>;
}

function dialOf(trunkId: string, org = orgId, on = boot): Dial {
  const call = newCall(org, { trunkId });
  const attemptId = uuidV7();
  return {
    callId: call.id,
    attemptId,
    admit: () => ledger.admitCall({ attemptId, call, n: 1, sipCallId: attemptId, ...on }, AHEAD_MS),
  };
}

const nodes = (): MediaNodeRepository => new MediaNodeRepository(store.dataSource);
const seen = (node: string, bootId: string, begins = true): Promise<unknown> =>
  nodes().seen({ nodeId: node, bootId, startedAtMs: Date.now(), sipAddress: null, calls: 0, configVersion: 0, begins });

const limitOrg = (org: string, limits: object): Promise<unknown> =>
  store.dataSource.query('UPDATE organisations SET limits = $2 WHERE id = $1', [org, JSON.stringify(limits)]);

describe('calls at once', () => {
  it('beyond the limit of the trunk they are queued, without an attempt, and go in their order', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 1 });
    const [first, second, third] = [dialOf(trunkId), dialOf(trunkId), dialOf(trunkId)];
    expect(await first.admit()).toEqual({ ok: true, waitMs: 0, spacingMs: null });
    const refused = { ok: false, reason: 'trunk_concurrency', retryInMs: null };
    expect(await second.admit()).toEqual(refused);
    expect(await third.admit()).toEqual(refused);
    expect(await storedAttempts(store.dataSource, second.callId)).toEqual([]);
    expect(await new CallRepository(store.dataSource).find(orgId, second.callId)).toMatchObject({ status: 'queued' });
    const places = await ledger.places(orgId, [first.callId, second.callId, third.callId]);
    expect([first, second, third].map(({ callId }) => places.get(callId)?.position)).toEqual([undefined, 1, 2]);

    expect(await ledger.release(first.attemptId)).toEqual([second.callId]);
    // Whoever comes without having been called stays behind.
    expect(await third.admit()).toEqual(refused);
    expect(await dialOf(trunkId).admit()).toEqual(refused);
    expect(await second.admit()).toMatchObject({ ok: true, waitMs: 0 });
    expect(await ledger.release(first.attemptId)).toEqual([]);
    expect(await ledger.release(second.attemptId)).toEqual([third.callId]);
  });

  it('of the organisation count over all of its trunks, and others do not wait for them', async () => {
    const org = await store.newOrg();
    await limitOrg(org, { concurrentCalls: 1 });
    const [one, two] = [await trunkOf(NO_LIMITS, org), await trunkOf({ maxConcurrentCalls: 5 }, org)];
    const [first, second] = [dialOf(one, org), dialOf(two, org)];
    expect(await first.admit()).toMatchObject({ ok: true });
    expect(await second.admit()).toEqual({ ok: false, reason: 'organisation_concurrency', retryInMs: null });
    expect(await dialOf(await trunkOf({ maxConcurrentCalls: 1 })).admit()).toMatchObject({ ok: true });
    expect(await ledger.release(first.attemptId)).toEqual([second.callId]);
    expect(await second.admit()).toMatchObject({ ok: true });
  });

  it('are never more than the limit, however many ask at once, and nobody is forgotten', async () => {
    for (let round = 0; round < 10; round++) {
      const trunkId = await trunkOf({ maxConcurrentCalls: 3 });
      // The row that they are going to fight for is there.
      const before = dialOf(trunkId);
      await before.admit();
      await ledger.release(before.attemptId);
      const dials = Array.from({ length: 10 }, () => dialOf(trunkId));
      const answers = await Promise.all(dials.map((dial) => dial.admit()));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
      let under = dials.filter((_, n) => answers[n]!.ok);
      let done = 0;
      while (under.length > 0) {
        done += under.length;
        const called = (await Promise.all(under.map(({ attemptId }) => ledger.release(attemptId)))).flat();
        under = dials.filter(({ callId }) => called.includes(callId));
        for (const answer of await Promise.all(under.map((dial) => dial.admit()))) expect(answer.ok).toBe(true);
      }
      expect(done).toBe(10);
    }
  });

  it('a call that is over leaves the queue, and the one behind it is called instead', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 1 });
    const [first, second, third] = [dialOf(trunkId), dialOf(trunkId), dialOf(trunkId)];
    for (const dial of [first, second, third]) await dial.admit();
    await new CallRepository(store.dataSource).finaliseCall({
      callId: second.callId,
      endedAtMs: Date.now(),
      answeredAtMs: null,
      ending: { disposition: 'canceled', endReason: 'api_hangup', endedBy: 'api', sip: null },
      metrics: null,
      truncated: false,
    });
    expect(await ledger.release(first.attemptId)).toEqual([third.callId]);
  });

  it('a leg of a call that is up waits in no queue, and is not let in beyond the limit either', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 2, maxCallsPerSecond: 100 });
    const leg = (): CapacityHolder => ({ leaseId: uuidV7(), orgId, trunkId });
    await dialOf(trunkId).admit();
    expect(await ledger.admitLeg(leg(), boot, 1_000)).toMatchObject({ ok: true });
    expect(await ledger.admitLeg(leg(), boot, 1_000)).toMatchObject({ ok: false, reason: 'trunk_concurrency' });
    expect(await ledger.places(orgId, [])).toEqual(new Map());
  });
});

describe('calls in a second', () => {
  it('turns lie a second apart; for a later one than the next its workflow waits, half a second less', async () => {
    const trunkId = await trunkOf({ maxCallsPerSecond: 1 });
    const dials = Array.from({ length: 5 }, () => dialOf(trunkId));
    const answers: CapacityAdmission[] = [];
    for (const dial of dials) answers.push(await dial.admit());
    expect(answers[0]).toMatchObject({ ok: true, waitMs: 0, spacingMs: 1_000 });
    expect(answers[1]).toMatchObject({ ok: true });
    expect((answers[1] as { waitMs: number }).waitMs).toBeGreaterThan(850);
    const waits = answers.slice(2).map((answer) => (answer.ok ? 0 : (answer.retryInMs ?? 0)));
    expect(answers[2]).toMatchObject({ reason: 'trunk_rate' });
    for (const [n, wait] of waits.entries()) {
      expect(wait).toBeLessThanOrEqual(n * 1_000 + 1_500);
      expect(wait).toBeGreaterThan(n * 1_000 + 1_000);
    }
  });

  it('the next turn counts from when an INVITE has left, should that be later than its own', async () => {
    const trunkId = await trunkOf({ maxCallsPerSecond: 1 });
    const late = dialOf(trunkId);
    expect(await late.admit()).toMatchObject({ ok: true, waitMs: 0 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await new AttemptRepository(store.dataSource).sent(late.attemptId)).toBe(true);
    const next = await dialOf(trunkId).admit();
    expect((next as { waitMs: number }).waitMs).toBeGreaterThan(750);
  });

  it('of the organisation hold over all of its trunks', async () => {
    const org = await store.newOrg();
    await limitOrg(org, { callsPerSecond: 2 });
    const trunks = [await trunkOf(NO_LIMITS, org), await trunkOf(NO_LIMITS, org)] as const;
    expect(await dialOf(trunks[0], org).admit()).toMatchObject({ ok: true, waitMs: 0 });
    const second = await dialOf(trunks[1], org).admit();
    expect((second as { waitMs: number }).waitMs).toBeGreaterThan(400);
    await dialOf(trunks[0], org).admit();
    expect(await dialOf(trunks[1], org).admit()).toMatchObject({ ok: false, reason: 'organisation_rate' });
  });

  it('a carrier that wants to be left in peace is, and a further INVITE of a call takes a turn too', async () => {
    const trunkId = await trunkOf({ maxCallsPerSecond: 10 });
    expect(await ledger.takeTurn({ orgId, trunkId }, 1_000)).toMatchObject({ ok: true, waitMs: 0 });
    expect((await ledger.takeTurn({ orgId, trunkId }, 1_000)) as { waitMs: number }).toMatchObject({ ok: true });
    await ledger.coolDown(trunkId, 20_000);
    await ledger.coolDown(trunkId, 1_000);
    expect(await dialOf(trunkId).admit()).toMatchObject({ ok: false, reason: 'trunk_cool_down' });
    expect(await ledger.takeTurn({ orgId, trunkId }, 1_000)).toMatchObject({ ok: false });
    const { rows } = { rows: await ledger.inUse() };
    expect(rows).toContainEqual({ trunkId, leases: 0, waiting: 1 });
  });

  it('property: never above the rate in any period, evenly spaced, and no burst after a rest', async () => {
    const arrivals = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 }), fc.constant(600_000)), {
      minLength: 2,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.constantFrom(0.2, 1, 2.5, 10, 100), async (gaps, perSecond) => {
        const trunkId = await trunkOf({ maxCallsPerSecond: perSecond });
        await store.dataSource.query('INSERT INTO trunk_capacity (trunk_id, org_id) VALUES ($1, $2)', [trunkId, orgId]);
        let nowMs = 1_700_000_000_000;
        const invites: number[] = [];
        for (const gap of gaps) {
          nowMs += gap;
          const [decided] = await store.dataSource.query(
            `SELECT reason, wait_ms FROM decide_capacity($1, NULL, NULL, $2, $3, NULL, NULL, 1000)`,
            [new Date(nowMs), orgId, trunkId],
          );
          if (decided.reason !== null) continue;
          expect(decided.wait_ms).toBeLessThanOrEqual(1_000);
          invites.push(nowMs + decided.wait_ms);
        }
        const interval = 1_000 / perSecond;
        for (const [n, atMs] of invites.entries()) {
          if (n > 0) expect(atMs - invites[n - 1]!).toBeGreaterThanOrEqual(interval - 2);
        }
        expect(invites.length).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe('what dies', () => {
  const silent = (node: string, seconds: number): Promise<unknown> =>
    store.dataSource.query(`UPDATE media_nodes SET last_seen = now() - $2 * interval '1 second' WHERE node_id = $1`, [
      node,
      seconds,
    ]);

  it('slots of a boot without a sign of life are given back, by who has seen the database all the time', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 1 });
    const dead = { nodeId: 'dead', bootId: 'd1' };
    await seen('dead', 'd1');
    const [lost, next] = [dialOf(trunkId, orgId, dead), dialOf(trunkId)];
    await lost.admit();
    await next.admit();
    expect(await ledger.hold(boot, [], { watching: true })).toEqual({ abandoned: [], waiting: [] });
    await silent('dead', 16);
    // After an outage of the database everybody was silent.
    expect(await ledger.hold(boot, [], { watching: false })).toEqual({ abandoned: [], waiting: [] });
    expect(await ledger.hold(boot, [], { watching: true })).toEqual({ abandoned: [lost.attemptId], waiting: [] });
    expect(await ledger.release(lost.attemptId)).toEqual([next.callId]);
  });

  it('those of a boot whose node has another one are, whoever looks', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 1 });
    await seen('again', 'a1');
    const lost = dialOf(trunkId, orgId, { nodeId: 'again', bootId: 'a1' });
    await lost.admit();
    await seen('again', 'a2');
    expect((await ledger.hold(boot, [], { watching: false })).abandoned).toContain(lost.attemptId);
    await ledger.release(lost.attemptId);
  });

  it('a boot says again what it holds; what it never heard of is given back', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 2 });
    const own = { nodeId: 'own', bootId: 'o1' };
    await seen('own', 'o1');
    const [held, unheard] = [dialOf(trunkId, orgId, own), dialOf(trunkId, orgId, own)];
    await held.admit();
    await unheard.admit();
    await store.dataSource.query(
      `UPDATE capacity_leases SET taken_at = now() - interval '11 seconds' WHERE node_id = 'own'`,
    );
    const holder = { leaseId: held.attemptId, orgId, trunkId };
    expect(await ledger.hold(own, [holder], { watching: true })).toMatchObject({ abandoned: [unheard.attemptId] });
    await ledger.release(unheard.attemptId);
    // Somebody has taken it for lost.
    await ledger.release(held.attemptId);
    await ledger.hold(own, [holder], { watching: true });
    expect(await ledger.inUse()).toContainEqual({ trunkId, leases: 1, waiting: 0 });
  });

  it('whoever was to call the next one and died before: another does, and one that does not come is passed over', async () => {
    const trunkId = await trunkOf({ maxConcurrentCalls: 1 });
    const [first, second, third] = [dialOf(trunkId), dialOf(trunkId), dialOf(trunkId)];
    for (const dial of [first, second, third]) await dial.admit();
    expect(await ledger.release(first.attemptId)).toEqual([second.callId]);
    const later = (): Promise<unknown> =>
      store.dataSource.query(
        `UPDATE capacity_queue SET called_at = called_at - interval '6 seconds' WHERE trunk_id = $1`,
        [trunkId],
      );
    expect((await ledger.hold(boot, [], { watching: true })).waiting).toEqual([]);
    await later();
    expect((await ledger.hold(boot, [], { watching: true })).waiting).toEqual([second.callId]);
    // Its workflow does not run: the next one is called too, and it itself again.
    await later();
    expect((await ledger.hold(boot, [], { watching: true })).waiting.toSorted()).toEqual(
      [second.callId, third.callId].toSorted(),
    );
    expect(await third.admit()).toMatchObject({ ok: true });
    expect(await second.admit()).toMatchObject({ ok: false });
    const fourth = dialOf(trunkId);
    await fourth.admit();
    await ledger.release(third.attemptId);
    // It never comes: its workflow is gone.
    expect(await ledger.leaveQueue(second.callId)).toEqual([fourth.callId]);
  });
});

it('an organisation sees the places of its own calls alone, and a trunk takes its row with it', async () => {
  const trunkId = await trunkOf({ maxConcurrentCalls: 1 });
  const [first, second] = [dialOf(trunkId), dialOf(trunkId)];
  await first.admit();
  await second.admit();
  expect((await ledger.places(await store.newOrg(), [second.callId])).size).toBe(0);
  await store.dataSource.query('DELETE FROM outbound_trunks WHERE id = $1', [trunkId]);
  const rows: unknown[] = await store.dataSource.query('SELECT FROM trunk_capacity WHERE trunk_id = $1', [trunkId]);
  expect(rows).toEqual([]);
});
