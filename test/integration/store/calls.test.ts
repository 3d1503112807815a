import fc from 'fast-check';
import type { EntityManager } from 'typeorm';
import type { CallStatus } from '../../../contract/call';
import type { CallEnding, EndedCall } from '../../../contract/endings';
import type { Call } from '../../../store/entities/call';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { insertWorkflowEvents, newCall, nodeEvent, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const ANSWERED: CallEnding = {
  disposition: 'answered',
  endReason: 'caller_hangup',
  endedBy: 'caller',
  sip: { sipCallId: 'sip@host', finalStatus: 200, reason: 'OK', q850: null },
};
const BUSY: CallEnding = { ...ANSWERED, disposition: 'busy', endReason: null };
const FAILED: CallEnding = { ...ANSWERED, disposition: 'failed' };

const ended = (callId: string, fields: Partial<EndedCall> = {}): EndedCall => ({
  callId,
  ending: ANSWERED,
  endedAtMs: 1_700_000_010_000,
  answeredAtMs: null,
  metrics: { postDialDelayMs: 12, mos: 4.2, packetLossPct: 0, jitterMs: 1, turnLatencyMs: { p50: 300, p95: 500 } },
  truncated: false,
  ...fields,
});

describe('CallRepository', () => {
  let store: StoreFixture;
  let calls: CallRepository;
  let events: EventRepository;
  let orgId: string;

  beforeAll(async () => {
    store = await openStore();
    calls = new CallRepository(store.dataSource);
    events = new EventRepository(store.dataSource, store.secrets);
    orgId = await store.newOrg();
  });
  afterAll(() => store.close());

  const started = async (fields: Partial<Parameters<typeof newCall>[1]> = {}): Promise<string> => {
    const call = newCall(orgId, fields);
    await calls.insertCall(call);
    return call.id;
  };
  const terminalSeq = async (id: string): Promise<number | undefined> =>
    (await events.list(orgId, id)).items.find(({ type }) => type === 'call.failed')?.seq;
  const find = async (id: string): Promise<Call> => (await calls.find(orgId, id))!;

  it('inserts a call once, and shows it to its organisation only', async () => {
    const call = newCall(orgId, { metadata: { crm: 'x\0y' }, direction: 'inbound', nodeId: 'n', bootId: 'b' });
    expect(await calls.insertCall(call)).toBe(true);
    expect(await calls.insertCall({ ...call, status: 'in_progress', from: '+1999' })).toBe(false);
    expect(await find(call.id)).toMatchObject({
      status: 'queued',
      fromNumber: call.from,
      startedAt: new Date(call.createdAtMs),
      createdAt: new Date(call.createdAtMs),
      metadata: { crm: 'x\uFFFDy' },
      nodeId: 'n',
      truncated: false,
    });
    expect(await calls.find(await store.newOrg(), call.id)).toBeNull();
    expect(await calls.find(orgId, 'no-uuid')).toBeNull();
  });

  it('knows from the events of the nodes which calls were answered, and when', async () => {
    const [answered, silent] = [await started(), await started()];
    const event = { type: 'answered', sipCallId: 'sip@host', postDialDelayMs: null } as const;
    const stored = nodeEvent({ id: answered, orgId }, 2, event);
    await events.insertBatch([nodeEvent({ id: silent, orgId }, 1, { type: 'ringing', status: 180 }), stored]);
    expect(await calls.recordedAnswers([answered, silent])).toEqual(new Map([[answered, stored.atMs]]));
    expect(await calls.recordedAnswers([])).toEqual(new Map());
  });

  it('never moves a row backwards, in whatever order and however often writers come', async () => {
    const order: CallStatus[] = ['queued', 'dialing', 'ringing', 'in_progress'];
    const writes = fc.array(fc.constantFrom(...order.slice(1)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(writes, async (statuses) => {
        const id = await started();
        let expected = 0;
        for (const status of statuses) {
          expect(await calls.markStatus(id, status as 'dialing')).toBe(true);
          expected = Math.max(expected, order.indexOf(status));
          expect((await find(id)).status).toBe(order[expected]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('a late write fills in what was unknown without moving the row', async () => {
    const id = await started();
    await calls.markStatus(id, 'in_progress', { answeredAtMs: 1_700_000_000_000 });
    await calls.markStatus(id, 'dialing', { nodeId: 'node', bootId: 'boot', sipCallId: 'sip@host' });
    await calls.markStatus(id, 'in_progress', { answeredAtMs: 1_700_000_005_000 });
    expect(await find(id)).toMatchObject({
      status: 'in_progress',
      nodeId: 'node',
      bootId: 'boot',
      sipCallId: 'sip@host',
      answeredAt: new Date(1_700_000_000_000),
    });
    expect(await calls.markStatus(uuidV7(), 'ringing')).toBe(false);
  });

  it('finalises once: one terminal row, one terminal event, and nothing changes it afterwards', async () => {
    const id = await started();
    await calls.markStatus(id, 'in_progress', { answeredAtMs: 1_700_000_000_000 });
    const endings = [ended(id), ended(id, { ending: BUSY }), ended(id, { truncated: true })];
    const results = await Promise.all(endings.map((call) => calls.finaliseCall(call)));
    expect([...results].sort()).toEqual(['already_final', 'already_final', 'finalised']);
    const row = await find(id);
    expect(row).toMatchObject({ status: 'completed', durationSeconds: 10, endedBy: 'caller', sipFinalStatus: 200 });

    expect(await calls.finaliseCall(ended(id, { ending: FAILED }))).toBe('already_final');
    expect(await calls.markStatus(id, 'in_progress', { nodeId: 'other' })).toBe(false);
    expect(await calls.insertCall(newCall(orgId, { id }))).toBe(false);
    await events.insertBatch([nodeEvent({ id, orgId }, 1, { type: 'ringing', status: 180 })]);
    expect(await find(id)).toEqual(row);
    const { items } = await events.list(orgId, id);
    expect(items.filter(({ type }) => type !== 'call.started' && type !== 'ringing')).toMatchObject([
      { type: 'call.ended', source: 'workflow', seq: 2 },
    ]);
  });

  it.each([
    ['answered', 'call.ended'],
    ['voicemail', 'call.ended'],
    ['no_answer', 'call.failed'],
    ['uncertain', 'call.failed'],
  ] as const)('tells of a call that was %s by %s', async (disposition, type) => {
    const id = await started();
    await calls.finaliseCall(ended(id, { ending: { ...ANSWERED, disposition }, truncated: true }));
    expect((await events.list(orgId, id)).items.find((event) => event.type !== 'call.started')).toMatchObject({
      type,
      data: { disposition, end_reason: 'caller_hangup', ended_by: 'caller', truncated: true },
    });
  });

  it('numbers the terminal event after what the workflow has written', async () => {
    const id = await started();
    const notes = [2, 3].map((seq) => ({ seq, atMs: 1_700_000_000_000, type: 'note' }));
    await insertWorkflowEvents(store.dataSource, { id, orgId }, notes);
    await calls.finaliseCall(ended(id, { ending: FAILED }));
    expect(await terminalSeq(id)).toBe(4);
    const other = await started();
    await calls.finaliseCall(ended(other, { ending: FAILED }));
    expect(await terminalSeq(other)).toBe(2);
  });

  it('says of a call without a row that there is nothing to close', async () => {
    expect(await calls.finaliseCall(ended(uuidV7(), { ending: FAILED }))).toBe('missing');
  });

  it('keeps the earliest of several times of the answer', async () => {
    const id = await started();
    await calls.markStatus(id, 'in_progress', { answeredAtMs: 1_700_000_004_000 });
    await calls.markStatus(id, 'in_progress', { answeredAtMs: 1_700_000_003_000 });
    expect((await find(id)).answeredAt).toEqual(new Date(1_700_000_003_000));
    await calls.finaliseCall(ended(id, { answeredAtMs: 1_700_000_002_000 }));
    expect(await find(id)).toMatchObject({ answeredAt: new Date(1_700_000_002_000), durationSeconds: 8 });
  });

  it('takes the time of the answer from the ending when it was missed', async () => {
    const id = await started();
    await calls.finaliseCall(ended(id, { answeredAtMs: 1_700_000_004_400, truncated: true }));
    expect(await find(id)).toMatchObject({ durationSeconds: 6, truncated: true });
  });

  it('knows whether all events of the node have arrived', async () => {
    const id = await started();
    expect(await calls.recordsComplete(id, 0)).toBe(true);
    const all = [1, 2, 3].map((seq) => nodeEvent({ id, orgId }, seq, { type: 'note', note: 'x' }));
    await events.insertBatch([all[0]!, all[2]!]);
    await insertWorkflowEvents(store.dataSource, { id, orgId }, [{ seq: 2, atMs: 1, type: 'note' }]);
    expect(await calls.recordsComplete(id, 3)).toBe(false);
    await events.insertBatch(all);
    expect(await calls.recordsComplete(id, 3)).toBe(true);
  });

  it('lists the open calls of a node by boot, and all open calls by age', async () => {
    const [a, b, c] = [await started(), await started(), await started()];
    await calls.markStatus(a, 'dialing', { nodeId: 'N', bootId: 'old' });
    await calls.markStatus(b, 'dialing', { nodeId: 'N', bootId: 'new' });
    await calls.markStatus(c, 'dialing', { nodeId: 'N', bootId: 'old' });
    await calls.finaliseCall(ended(c));
    const ids = (open: readonly { callId: string }[]): string[] => open.map(({ callId }) => callId);
    expect(ids(await calls.listOpenOnNode('N', 'old'))).toEqual([a]);
    expect(ids(await calls.listOpenOnNode('N', { exceptBootId: 'new' }))).toEqual([a]);
    expect(ids(await calls.listOpenOnNode('M', 'old'))).toEqual([]);
    const old = await started({ createdAtMs: Date.now() - 60_000 });
    expect(ids(await calls.listOpen(30_000))).toEqual([old]);
  });

  it('counts the open calls of a trunk', async () => {
    const trunkId = uuidV7();
    const [a] = [await started({ trunkId }), await started({ trunkId })];
    expect(await calls.countOpenOnTrunk(orgId, trunkId)).toBe(2);
    await calls.finaliseCall(ended(a));
    expect(await calls.countOpenOnTrunk(orgId, trunkId)).toBe(1);
    expect(await calls.countOpenOnTrunk(await store.newOrg(), trunkId)).toBe(0);
  });

  it('lists newest first in pages that neither lose nor repeat a call, and filters', async () => {
    const org = await store.newOrg();
    const agentId = uuidV7();
    for (let i = 0; i < 7; i++) {
      // Some share a millisecond.
      const call = newCall(org, { createdAtMs: 1_700_000_000_000 + Math.floor(i / 2), to: `+1555000${i}` });
      await calls.insertCall(i === 3 ? { ...call, agentId, direction: 'inbound' } : call);
      if (i === 5) await calls.finaliseCall(ended(call.id, { ending: BUSY }));
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await calls.list(org, { limit: 3, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);

    const count = async (filter: Parameters<CallRepository['list']>[1]): Promise<number> =>
      (await calls.list(org, filter)).items.length;
    expect(await count({ agentId })).toBe(1);
    expect(await count({ agentId: 'no-uuid' })).toBe(0);
    expect(await count({ direction: 'inbound' })).toBe(1);
    expect(await count({ status: 'completed' })).toBe(1);
    expect(await count({ disposition: 'busy', status: 'completed' })).toBe(1);
    expect(await count({ phoneNumber: '+15550002' })).toBe(1);
    expect(await count({ phoneNumber: '+15550000001' })).toBe(7);
    expect(await count({ createdAfter: new Date(1_700_000_000_001), createdBefore: new Date(1_700_000_000_003) })).toBe(
      4,
    );
    expect(await count({ campaignId: uuidV7() })).toBe(0);
  });

  it('leaves a call in its place in every index until it ends', async () => {
    const call = newCall(orgId, { nodeId: 'N', bootId: 'B' });
    await calls.insertCall(call);
    const updates = (manager: EntityManager): Promise<[{ all: number; hot: number }]> =>
      manager.query(
        `SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_xact_user_tables WHERE relname = 'calls'`,
      );
    await store.dataSource.transaction(async (manager) => {
      const inside = new CallRepository({ manager });
      const [before] = await updates(manager);
      await inside.markStatus(call.id, 'dialing');
      await inside.markStatus(call.id, 'ringing', { sipCallId: 's' });
      await inside.markStatus(call.id, 'in_progress', { answeredAtMs: call.createdAtMs });
      const [after] = await updates(manager);
      expect(after.all - before.all).toBe(3);
      // One of them may find its page full.
      expect(after.hot - before.hot).toBeGreaterThanOrEqual(2);
    });
  });

  it("lists a number's calls of both sides as one list, and a call to itself once", async () => {
    const org = await store.newOrg();
    const mine = '+15550000009';
    const at = 1_700_000_000_000;
    const ends = [
      { from: mine },
      { to: mine },
      { from: mine, to: mine },
      {},
      { to: mine },
      { from: mine },
      { to: mine },
    ];
    const ids = ends.map((_, i) => uuidV7(at + i));
    for (const [i, end] of ends.entries()) {
      await calls.insertCall(newCall(org, { ...end, id: ids[i]!, createdAtMs: at + Math.floor(i / 2) }));
    }
    const wanted = ids.filter((_, i) => i !== 3).reverse();
    for (const [createdBefore, expected] of [
      [undefined, wanted],
      [new Date(at + 10), wanted],
      [new Date(at + 2), wanted.slice(-3)],
    ] as const) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await calls.list(org, { phoneNumber: mine, limit: 2, cursor, createdBefore });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(expected);
      // A cursor of another filter, from before the bound or after it.
      const first = await calls.list(org, { phoneNumber: mine, limit: 1 });
      const rest = await calls.list(org, { phoneNumber: mine, cursor: first.next!, createdBefore });
      expect(rest.items.map(({ id }) => id)).toEqual(expected.filter((id) => id !== first.items[0]!.id));
    }
  });
});
