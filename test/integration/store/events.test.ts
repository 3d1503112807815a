import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { TranscriptRepository } from '../../../store/repositories/transcript-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import { insertWorkflowEvents, newCall, nodeEvent, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const ENDED = {
  ending: { disposition: 'failed', endReason: null, endedBy: 'system', sip: null },
  endedAtMs: 1_700_000_010_000,
  answeredAtMs: null,
  metrics: null,
  truncated: true,
} as const;

const turn = (index: number, text = 'Hello'): Parameters<typeof nodeEvent>[2] => ({
  type: 'turn',
  turn: {
    index,
    speaker: 'agent',
    text,
    startMs: index * 1000 + 0.4,
    endMs: index * 1000 + 900,
    interruptedAtMs: null,
  },
});

describe('EventRepository', () => {
  let store: StoreFixture;
  let events: EventRepository;
  let calls: CallRepository;
  let transcripts: TranscriptRepository;
  let orgId: string;

  beforeAll(async () => {
    store = await openStore();
    events = new EventRepository(store.dataSource, store.secrets);
    calls = new CallRepository(store.dataSource);
    transcripts = new TranscriptRepository(store.dataSource, store.secrets);
    orgId = await store.newOrg();
  });
  afterAll(() => store.close());

  it('stores every event once, however often batches are repeated, and its data without the envelope', async () => {
    const call = { id: uuidV7(), orgId };
    const batch = [
      nodeEvent(call, 1, { type: 'ringing', status: 180 }),
      nodeEvent(call, 2, { type: 'dtmf', count: 3 }),
      nodeEvent(call, 2, { type: 'dtmf', count: 3 }),
      nodeEvent(call, 3, turn(0)),
    ];
    await events.insertBatch(batch);
    expect(await events.insertBatch(batch)).toEqual({ stored: 4, rejected: [] });
    const { items } = await events.list(orgId, call.id);
    expect(items.map(({ seq, type, data }) => [seq, type, data])).toEqual([
      [1, 'ringing', { status: 180 }],
      [2, 'dtmf', { count: 3 }],
      [3, 'turn', { turn: expect.objectContaining({ text: 'Hello' }) }],
    ]);
    expect(await calls.recordsComplete(call.id, 3)).toBe(true);
    expect(await transcripts.list(orgId, call.id)).toEqual([
      { index: 0, speaker: 'agent', text: 'Hello', startMs: 0, endMs: 900, interruptedAtMs: null },
    ]);
  });

  it('keeps what was said and pressed sealed, and tells it to who has the key', async () => {
    const call = { id: uuidV7(), orgId };
    await events.insertBatch([nodeEvent(call, 1, turn(0, '[pressed 4 7 1 1]'))]);
    const rows: unknown[] = await store.dataSource.query(
      `SELECT e::text, t::text AS turn FROM call_events e JOIN transcript_turns t USING (call_id) WHERE call_id = $1`,
      [call.id],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toMatch(/4 7 1 1|pressed/);
    expect((await transcripts.list(orgId, call.id))[0]?.text).toBe('[pressed 4 7 1 1]');
    expect((await events.list(orgId, call.id)).items[0]?.data).toMatchObject({ turn: { text: '[pressed 4 7 1 1]' } });
    const stranger = new TranscriptRepository(store.dataSource, new SecretBox(newMasterKey()));
    expect((await stranger.list(orgId, call.id))[0]?.text).toBe('[sealed with another SECRETS_KEY]');
  });

  it('reads what an earlier release stored in plain text', async () => {
    const call = { id: uuidV7(), orgId };
    await events.insertBatch([nodeEvent(call, 1, turn(0))]);
    await store.dataSource.query(`UPDATE transcript_turns SET text = 'Hello v1.' WHERE call_id = $1`, [call.id]);
    expect((await transcripts.list(orgId, call.id))[0]?.text).toBe('Hello v1.');
  });

  it("keeps another organisation's timeline and transcript to itself", async () => {
    const call = { id: uuidV7(), orgId };
    await events.insertBatch([nodeEvent(call, 1, turn(0))]);
    const other = await store.newOrg();
    expect((await events.list(other, call.id)).items).toEqual([]);
    expect(await transcripts.list(other, call.id)).toEqual([]);
    expect(await transcripts.list(orgId, 'no-uuid')).toEqual([]);
    expect((await events.list(orgId, 'no-uuid')).items).toEqual([]);
  });

  it('an empty batch is nothing to do', async () => {
    expect(await events.insertBatch([])).toEqual({ stored: 0, rejected: [] });
  });

  it('brings ringing to the row of its call, and to no call that is further', async () => {
    const rows = [newCall(orgId, { status: 'dialing' }), newCall(orgId, { status: 'dialing' })];
    for (const row of rows) await calls.insertCall(row);
    await calls.markStatus(rows[1]!.id, 'in_progress');
    await events.insertBatch(rows.map((row) => nodeEvent(row, 1, { type: 'ringing', status: 180 })));
    expect((await calls.find(orgId, rows[0]!.id))?.status).toBe('ringing');
    expect((await calls.find(orgId, rows[1]!.id))?.status).toBe('in_progress');
  });

  it('does not lose a ringing that comes before the row', async () => {
    const call = newCall(orgId, { status: 'queued' });
    await events.insertBatch([nodeEvent(call, 1, { type: 'ringing', status: 180 })]);
    await calls.insertCall(call);
    expect((await calls.find(orgId, call.id))?.status).toBe('ringing');
  });

  it('does not lose a ringing that comes at the same time as the row', async () => {
    const rows = Array.from({ length: 60 }, () => newCall(orgId, { status: 'queued' }));
    await Promise.all(
      rows.flatMap((row) => [
        calls.insertCall(row),
        events.insertBatch([nodeEvent(row, 1, { type: 'ringing', status: 180 })]),
      ]),
    );
    const statuses = await Promise.all(rows.map(async ({ id }) => (await calls.find(orgId, id))?.status));
    expect(new Set(statuses)).toEqual(new Set(['ringing']));
  });

  describe('an answer', () => {
    const answer = { type: 'answered', sipCallId: 'its-call-id', postDialDelayMs: null } as const;

    it('shows in the row, at its time, and moves no row that is further', async () => {
      const rows = [newCall(orgId, { status: 'dialing' }), newCall(orgId, { status: 'dialing' })];
      for (const row of rows) await calls.insertCall(row);
      await calls.finaliseCall({ ...ENDED, callId: rows[1]!.id });
      await events.insertBatch(rows.map((row) => nodeEvent(row, 2, answer)));
      expect(await calls.find(orgId, rows[0]!.id)).toMatchObject({
        status: 'in_progress',
        sipCallId: 'its-call-id',
        answeredAt: new Date(nodeEvent(rows[0]!, 2, answer).atMs),
      });
      expect(await calls.find(orgId, rows[1]!.id)).toMatchObject({ status: 'completed', answeredAt: null });
    });

    it('does not take back what was put on hold meanwhile', async () => {
      const call = newCall(orgId, { status: 'ringing' });
      await calls.insertCall(call);
      await events.insertBatch([
        nodeEvent(call, 1, answer),
        nodeEvent(call, 2, { type: 'hold', ours: true, theirs: false }),
      ]);
      expect((await calls.find(orgId, call.id))?.status).toBe('held');
      await events.insertBatch([nodeEvent(call, 1, answer)]);
      expect((await calls.find(orgId, call.id))?.status).toBe('held');
    });

    it('is not lost when it comes before the row, or at the same time', async () => {
      const early = newCall(orgId, { status: 'ringing', direction: 'inbound' });
      await events.insertBatch([nodeEvent(early, 1, answer)]);
      await calls.insertCall(early);
      const rows = Array.from({ length: 60 }, () => newCall(orgId, { status: 'ringing', direction: 'inbound' }));
      await Promise.all(
        rows.flatMap((row) => [calls.insertCall(row), events.insertBatch([nodeEvent(row, 1, answer)])]),
      );
      const found = await Promise.all([early, ...rows].map(({ id }) => calls.find(orgId, id)));
      expect(new Set(found.map((row) => row?.status))).toEqual(new Set(['in_progress']));
      expect(found.every((row) => row?.answeredAt instanceof Date)).toBe(true);
    });
  });

  describe('a hold', () => {
    const hold = (ours: boolean, theirs = false) => ({ type: 'hold', ours, theirs }) as const;
    const statusOf = async (id: string) => (await calls.find(orgId, id))?.status;

    async function conversing(): Promise<ReturnType<typeof newCall>> {
      const call = newCall(orgId, { status: 'dialing' });
      await calls.insertCall(call);
      await calls.markStatus(call.id, 'in_progress');
      return call;
    }

    it('shows in the row while either side holds, as the last event says, in whatever order they come', async () => {
      const call = await conversing();
      await events.insertBatch([nodeEvent(call, 1, hold(true)), nodeEvent(call, 2, hold(true, true))]);
      expect(await statusOf(call.id)).toBe('held');
      await events.insertBatch([nodeEvent(call, 4, hold(false))]);
      expect(await statusOf(call.id)).toBe('in_progress');
      await events.insertBatch([nodeEvent(call, 3, hold(false, true))]);
      expect(await statusOf(call.id)).toBe('in_progress');
      await events.insertBatch([nodeEvent(call, 5, hold(false, true))]);
      expect(await statusOf(call.id)).toBe('held');
    });

    it('is not lost to who learns late of the answer, and comes to no call that is over', async () => {
      const call = newCall(orgId, { status: 'ringing' });
      await events.insertBatch([nodeEvent(call, 1, hold(true))]);
      await calls.insertCall(call);
      await calls.markStatus(call.id, 'in_progress');
      expect(await statusOf(call.id)).toBe('held');
      const early = await conversing();
      await events.insertBatch([nodeEvent(early, 1, hold(true))]);
      await calls.markStatus(early.id, 'in_progress', { nodeId: 'node' });
      expect(await statusOf(early.id)).toBe('held');
      await store.dataSource.query(`UPDATE calls SET status = 'completed', ended_at = now() WHERE id = $1`, [early.id]);
      await events.insertBatch([nodeEvent(early, 2, hold(false))]);
      expect(await statusOf(early.id)).toBe('completed');
    });
  });

  it('stores what peers and callers make PostgreSQL refuse as far as it can, and all others of the batch', async () => {
    const call = { id: uuidV7(), orgId };
    const huge = nodeEvent(call, 3, turn(2));
    const batch = [
      nodeEvent(call, 1, turn(0, 'nul \0, half a pair \uD83D')),
      { ...nodeEvent(call, 2, turn(1)), orgId: 'no-uuid' },
      { ...huge, turn: { ...(huge as { turn: object }).turn, startMs: 1e18 } } as typeof huge,
      { ...nodeEvent(call, 4, turn(3)), atMs: Number.NaN },
      { ...nodeEvent(call, 0, turn(4)) },
      ...Array.from({ length: 20 }, (_, i) => nodeEvent(call, i + 5, { type: 'note', note: `n${i}` })),
    ];
    const result = await events.insertBatch(batch);
    expect(result.stored).toBe(21);
    expect(new Set(result.rejected)).toEqual(new Set(batch.slice(1, 5)));
    expect((await transcripts.list(orgId, call.id)).map(({ text }) => text)).toEqual([
      'nul \uFFFD, half a pair \uFFFD',
    ]);
    expect((await events.list(orgId, call.id, { limit: 100 })).items).toHaveLength(21);
  });

  it('takes a batch of a thousand events of a hundred calls at once', async () => {
    const rows = Array.from({ length: 100 }, () => ({ id: uuidV7(), orgId }));
    const batch = rows.flatMap((row) => [
      nodeEvent(row, 1, { type: 'ringing', status: 180 }),
      ...Array.from({ length: 9 }, (_, i) => nodeEvent(row, i + 2, turn(i))),
    ]);
    expect((await events.insertBatch(batch)).stored).toBe(1000);
  });

  it('batches that share calls in different orders do not lock each other out', async () => {
    const rows = Array.from({ length: 30 }, () => newCall(orgId, { status: 'dialing' }));
    await Promise.all(rows.map((row) => calls.insertCall(row)));
    const ringing = rows.map((row) => nodeEvent(row, 1, { type: 'ringing', status: 180 }));
    const turns = rows.map((row) => nodeEvent(row, 2, turn(0)));
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        [0, 1, 2, 3, 4, 5].map((i) => {
          const batch = [...ringing, ...turns].map((event) => ({ ...event, seq: event.seq + 2 * round }));
          return events.insertBatch(i % 2 === 0 ? batch : batch.reverse());
        }),
      );
    }
    expect((await calls.find(orgId, rows[0]!.id))?.status).toBe('ringing');
  });

  it('merges both sources into one timeline by (at, source, seq), in pages', async () => {
    const call = { id: uuidV7(), orgId };
    const at = (ms: number, event: ReturnType<typeof nodeEvent>): typeof event => ({ ...event, atMs: ms });
    await insertWorkflowEvents(store.dataSource, call, [
      { seq: 1, atMs: 1000, type: 'accepted' },
      { seq: 2, atMs: 3000, type: 'call.ended', data: { by: 'api' } },
    ]);
    await events.insertBatch([
      at(2000, nodeEvent(call, 2, { type: 'note', note: 'b' })),
      at(1000, nodeEvent(call, 1, { type: 'note', note: 'a' })),
      at(3000, nodeEvent(call, 3, { type: 'note', note: 'c' })),
    ]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await events.list(orgId, call.id, { limit: 2, cursor });
      seen.push(...page.items.map(({ source, seq }) => `${source}${seq}`));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['node1', 'workflow1', 'node2', 'node3', 'workflow2']);
  });
});
