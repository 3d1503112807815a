/** What a workflow does about a call that its node does not end in time. Waits for real, for all calls at once. */
import type { Call } from '../../../store/entities/call';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

const BACKSTOP_MS = 30_000;

let env: WorkflowEnvironment;
let leftRunning: Promise<{ readonly row: Call; readonly node: FakeNode; readonly hungUpAfterMs: number }>;
let forgotten: Promise<{
  readonly row: Call;
  readonly node: FakeNode;
  readonly asked: number;
  readonly tookMs: number;
}>;

/** Resolves when the call is answered; no node here looks at `maxDurationSeconds`. */
async function answeredCall(node: FakeNode, maxDurationSeconds: number): Promise<string> {
  const { callId } = await env.receiveCall(node, { maxDurationSeconds });
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  return callId;
}

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  const [tooLong, acknowledged] = [await env.startNode(), await env.startNode()];

  leftRunning = (async () => {
    const callId = await answeredCall(tooLong, 1);
    const answeredAtMs = performance.now();
    await waitFor('the hang-up', BACKSTOP_MS + 8_000, () => (tooLong.control.hangups.length > 0 ? true : undefined));
    const hungUpAfterMs = performance.now() - answeredAtMs;
    return { row: await env.finished(callId), node: tooLong, hungUpAfterMs };
  })();

  // The maximum of this one was over when it began, so that its second wait is the long one.
  forgotten = (async () => {
    const { control } = acknowledged;
    control.hangupAnswer = { ok: true };
    const status = jest.spyOn(control, 'status');
    const callId = await answeredCall(acknowledged, 1 - BACKSTOP_MS / 1000);
    const startedMs = performance.now();
    await waitFor('the hang-up', 6_000, () => (control.hangups.length > 0 ? true : undefined));
    control.forget(callId);
    const row = await env.finished(callId, BACKSTOP_MS + 12_000);
    return { row, node: acknowledged, asked: status.mock.calls.length, tookMs: performance.now() - startedMs };
  })();
  for (const call of [leftRunning, forgotten]) call.catch(() => undefined); // awaited by its test
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

test('a call that its node leaves running is hung up 30 s after its maximum, and not before', async () => {
  const { row, node, hungUpAfterMs } = await leftRunning;
  expect(hungUpAfterMs).toBeGreaterThan(BACKSTOP_MS);
  expect(hungUpAfterMs).toBeLessThan(1_000 + BACKSTOP_MS + 5_000);
  expect(node.control.hangups).toMatchObject([{ callId: row.id, endReason: 'max_duration', endedBy: 'system' }]);
  expect(row).toMatchObject({ disposition: 'answered', endReason: 'max_duration', endedBy: 'system' });
  expect(row.truncated).toBe(false);
}, 60_000);

test('a node that took the hang-up and says no more is asked 30 s later, and the call ends without its word', async () => {
  const { row, node, asked, tookMs } = await forgotten;
  expect(node.control.hangups).toHaveLength(1);
  expect(asked).toBe(1);
  expect(tookMs).toBeGreaterThan(BACKSTOP_MS);
  expect(row).toMatchObject({ disposition: 'answered', endReason: 'max_duration', endedBy: 'system' });
  expect(row.truncated).toBe(true);
}, 60_000);
