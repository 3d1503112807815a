/** Calls that are to be dialled later: on time, changed, given up, and whatever was away meanwhile. */
import { randomUUID } from 'node:crypto';
import { rescheduleUpdate } from '../../../workflows/call/messages';
import type { RescheduleRequest, RescheduleResult } from '../../../workflows/call/messages';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';

let env: WorkflowEnvironment;
let node: FakeNode;
/** When the INVITE of each attempt left, epoch ms. */
const invites = new Map<string, number>();

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  node.control.plan = () => ({ kind: 'answer' });
  node.control.onInvite = (sipCallId) => invites.set(sipCallId, Date.now());
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function schedule(inMs: number, lastsMs = 3_600_000): Promise<{ callId: string; dueAtMs: number }> {
  const dueAtMs = Date.now() + inMs;
  const input = env.outboundInput({ scheduledAtMs: dueAtMs, expiresAtMs: dueAtMs + lastsMs });
  expect(await env.placeCall(input)).toBe('accepted');
  return { callId: input.callId, dueAtMs };
}

const change = (callId: string, request: RescheduleRequest): Promise<RescheduleResult> =>
  env.handle(callId).executeUpdate(rescheduleUpdate, { args: [request], updateId: randomUUID() });

const dialledAt = (callId: string, limitMs: number): Promise<number> =>
  waitFor(`the INVITE of ${callId}`, limitMs, async () => {
    for (const { sipCallId } of await env.attempts(callId)) if (invites.has(sipCallId)) return invites.get(sipCallId);
    return undefined;
  });

async function end(callId: string): Promise<void> {
  await env.rowIs(callId, 'in_progress');
  node.control.end(callId, PEER_HANGUP);
  expect(await env.finished(callId)).toMatchObject({ disposition: 'answered' });
}

test.concurrent(
  'one is accepted at once, waits as scheduled, and is dialled within a second of its time',
  async () => {
    const lateMs: number[] = [];
    // A machine that has other things to do may be late once.
    for (let n = 0; n < 3 && !lateMs.some((ms) => ms < 1_000); n++) {
      const { callId, dueAtMs } = await schedule(3_000);
      expect(await env.row(callId)).toMatchObject({ status: 'scheduled', scheduledAt: new Date(dueAtMs) });
      expect(await env.attempts(callId)).toEqual([]);
      lateMs.push((await dialledAt(callId, 8_000)) - dueAtMs);
      await end(callId);
    }
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...lateMs)).toBeLessThan(1_000);
  },
  60_000,
);

test.concurrent(
  'its time is changed, later and earlier, and its end with it',
  async () => {
    const { callId, dueAtMs } = await schedule(2_000, 60_000);
    const later = dueAtMs + 600_000;
    expect(await change(callId, { scheduledAtMs: later })).toEqual({
      outcome: 'done',
      scheduledAtMs: later,
      expiresAtMs: later + 60_000,
    });
    expect(await env.row(callId)).toMatchObject({ scheduledAt: new Date(later), expiresAt: new Date(later + 60_000) });
    expect(await change(callId, { expiresAtMs: later })).toEqual({ outcome: 'refused', code: 'expires_too_early' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await env.attempts(callId)).toEqual([]);
    const soon = Date.now() + 1_500;
    expect(await change(callId, { scheduledAtMs: soon })).toMatchObject({ outcome: 'done' });
    expect((await dialledAt(callId, 8_000)) - soon).toBeLessThan(1_000);
    await env.rowIs(callId, 'in_progress');
    expect(await change(callId, { scheduledAtMs: later })).toEqual({ outcome: 'refused', code: 'not_waiting' });
    await end(callId);
  },
  60_000,
);

test.concurrent(
  'one that is given up was never dialled',
  async () => {
    const { callId } = await schedule(90 * 24 * 3_600_000);
    expect(await hangUp(env, callId)).toMatchObject({ outcome: 'done' });
    expect(await env.finished(callId)).toMatchObject({
      disposition: 'canceled',
      endReason: 'api_hangup',
      sipCallId: null,
    });
    expect(await env.attempts(callId)).toEqual([]);
  },
  60_000,
);

describe('after an outage over its time', () => {
  let late: string;
  let tooLate: string;

  beforeAll(async () => {
    late = (await schedule(1_500)).callId;
    tooLate = (await schedule(1_500, 500)).callId;
    await env.stopWorker();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await env.startWorker();
  }, 60_000);

  test('it is dialled at once', async () => {
    await dialledAt(late, 10_000);
    await end(late);
  }, 30_000);

  test('one that was to be dialled until before then is expired', async () => {
    expect(await env.finished(tooLate)).toMatchObject({ disposition: 'expired', sipCallId: null });
    expect(await env.attempts(tooLate)).toEqual([]);
  }, 30_000);
});
