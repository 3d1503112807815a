import { WorkflowEnvironment, withLimit } from './environment';
import type { NodeProcess } from './node-process';

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function callsOn(node: NodeProcess, count: number): Promise<string[]> {
  const callIds: string[] = [];
  for (let i = 0; i < count; i++) {
    const input = await env.startInbound(node);
    callIds.push(input.callId);
    node.order({ do: 'inbound', callId: input.callId, orgId: env.orgId, sipCallId: input.sipCallId });
    if (i % 2 === 0) node.order({ do: 'answer', callId: input.callId });
  }
  await Promise.all(callIds.filter((_, i) => i % 2 === 0).map((callId) => env.rowIs(callId, 'in_progress')));
  return callIds;
}

async function expectLost(callIds: readonly string[], limitMs: number): Promise<void> {
  const startedAtMs = Date.now();
  const rows = await Promise.all(callIds.map((callId) => env.finished(callId, limitMs)));
  expect(Date.now() - startedAtMs).toBeLessThanOrEqual(limitMs);
  rows.forEach((row, i) =>
    expect(row).toMatchObject({
      disposition: i % 2 === 0 ? 'answered' : 'failed',
      endReason: 'media_node_lost',
      endedBy: 'system',
      truncated: true,
    }),
  );
}

test('calls of a killed node end within 10 s of its restart, also when it is back at once', async () => {
  const node = await env.spawnNode('restarted');
  const callIds = await callsOn(node, 6);
  await node.kill();
  const again = await env.spawnNode('restarted');
  await expectLost(callIds, 10_000);
  // A call of the new boot is not touched by what is done about the old one.
  const [fresh] = await callsOn(again, 1);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  again.order({ do: 'hangup_by_peer', callId: fresh ?? '' });
  expect(await env.finished(fresh ?? '')).toMatchObject({ endReason: 'caller_hangup', truncated: false });
  await again.kill();
}, 60_000);

test('calls of a node that dies silently end within 15 s', async () => {
  const node = await env.spawnNode('silent');
  const callIds = await callsOn(node, 4);
  await node.kill();
  await expectLost(callIds, 15_000);
}, 60_000);

test('a hang-up that the node does not answer finds out that it is gone', async () => {
  const node = await env.spawnNode('gone');
  const [callId = ''] = await callsOn(node, 1);
  await node.kill();
  const args = [{ endReason: 'api_hangup', endedBy: 'api' }] as const;
  const result = await env.handle(callId).executeUpdate('hangup', { args: [...args] });
  expect(result).toEqual({ outcome: 'effective' });
  expect(await env.finished(callId)).toMatchObject({ endReason: 'media_node_lost' });
}, 60_000);

describe('a node killed during a dial', () => {
  test.each(['kill_before_intended', 'kill_after_intended', 'kill_after_invite', 'kill_after_sent'] as const)(
    '%s: at most one INVITE, and what may have left is an attempt that counts',
    async (step) => {
      const node = await env.spawnNode(step);
      node.order({ do: 'plan', plan: step });
      await new Promise((resolve) => setTimeout(resolve, 100));
      const input = env.outboundInput();
      await env.placeCall(input);
      await withLimit(node.exited(), 10_000, 'the death of the node');
      const row = await env.finished(input.callId, 30_000);
      // A dial that had returned belongs to its node: the call is lost with it.
      expect(['uncertain', 'failed']).toContain(row.disposition);
      expect(row.truncated).toBe(true);
      const attempts = await env.attempts.list(input.callId);
      const counted = attempts.filter(({ state }) => state !== 'not_sent').map(({ sipCallId }) => sipCallId);
      expect(attempts.map(({ state }) => state)).not.toContain('intended');
      expect(new Set(node.invites).size).toBe(node.invites.length);
      for (const invite of node.invites) expect(counted).toContain(invite);
      const leaves = step === 'kill_after_invite' || step === 'kill_after_sent';
      expect(node.invites.length).toBe(leaves ? 1 : 0);
    },
    60_000,
  );
});
