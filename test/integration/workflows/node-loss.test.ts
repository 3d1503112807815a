import { withDeadline } from '../../../ops/deadline';
import type { Call } from '../../../store/entities/call';
import { WorkflowEnvironment } from './environment';
import { hangUp } from './hang-up';
import type { KillStep, NodeProcess } from './node-process';

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

/** Every other one answered. */
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

async function lost(callIds: readonly string[], limitMs: number): Promise<readonly Call[]> {
  return await Promise.all(callIds.map((callId) => env.finished(callId, limitMs)));
}

function expectLost(rows: readonly Call[]): void {
  rows.forEach((row, i) =>
    expect(row).toMatchObject({
      disposition: i % 2 === 0 ? 'answered' : 'failed',
      endReason: 'media_node_lost',
      endedBy: 'system',
      truncated: true,
    }),
  );
}

describe('calls of a killed node', () => {
  let restarted: Promise<{ readonly rows: readonly Call[]; readonly again: NodeProcess }>;
  let silent: Promise<readonly Call[]>;
  let hungUp: Promise<{ readonly result: unknown; readonly rows: readonly Call[] }>;

  // The three deaths are waited for together.
  beforeAll(() => {
    restarted = (async () => {
      const node = await env.spawnNode('restarted');
      const callIds = await callsOn(node, 6);
      await node.kill();
      const again = await env.spawnNode('restarted');
      return { rows: await lost(callIds, 10_000), again };
    })();
    silent = (async () => {
      const node = await env.spawnNode('silent');
      const callIds = await callsOn(node, 4);
      await node.kill();
      return await lost(callIds, 15_000);
    })();
    hungUp = (async () => {
      const node = await env.spawnNode('hung-up');
      const callIds = await callsOn(node, 1);
      await node.kill();
      const result = await hangUp(env, callIds[0] ?? '');
      return { result, rows: await lost(callIds, 5_000) };
    })();
    for (const scenario of [restarted, silent, hungUp]) scenario.catch(() => undefined); // awaited by its test
  });

  test('end within 10 s of its restart, and calls of the new boot are not touched', async () => {
    const { rows, again } = await restarted;
    expectLost(rows);
    const [fresh = ''] = await callsOn(again, 1);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    again.order({ do: 'hangup_by_peer', callId: fresh });
    expect(await env.finished(fresh)).toMatchObject({ endReason: 'caller_hangup', truncated: false });
  }, 60_000);

  test('end within 15 s when it does not come back', async () => {
    expectLost(await silent);
  }, 60_000);

  test('can be hung up: the silence of the node is found out, and the answer is success', async () => {
    const { result, rows } = await hungUp;
    expect(result).toEqual({ outcome: 'done' });
    expectLost(rows);
  }, 60_000);
});

describe('a node killed during a dial', () => {
  const steps = ['kill_before_intended', 'kill_after_intended', 'kill_after_invite', 'kill_after_sent'] as const;
  const placed = new Map<KillStep, { readonly callId: string; readonly node: NodeProcess }>();

  beforeAll(async () => {
    const nodes = await Promise.all(steps.map((step) => env.spawnNode(step)));
    // One after the other takes a dial and dies; their calls end at the same time.
    for (const node of nodes) {
      const step = node.nodeId as KillStep;
      node.order({ do: 'accept', plan: step });
      const input = env.outboundInput();
      placed.set(step, { callId: input.callId, node });
      await env.placeCall(input);
      await withDeadline(node.exited(), 10_000, { message: 'the node did not die' });
    }
  }, 90_000);

  test.each(steps)(
    '%s: at most one INVITE, and what may have left is an attempt that counts',
    async (step) => {
      const { callId = '', node } = placed.get(step) ?? {};
      const row = await env.finished(callId, 30_000);
      // A dial that had returned belongs to its node: the call is lost with it.
      expect(['uncertain', 'failed']).toContain(row.disposition);
      expect(row.truncated).toBe(true);
      const attempts = await env.attempts(callId);
      const counted = attempts.filter(({ state }) => state !== 'not_sent').map(({ sipCallId }) => sipCallId);
      expect(attempts.map(({ state }) => state)).not.toContain('intended');
      const leaves = step === 'kill_after_invite' || step === 'kill_after_sent';
      expect(node?.invites).toHaveLength(leaves ? 1 : 0);
      for (const invite of node?.invites ?? []) expect(counted).toContain(invite);
    },
    60_000,
  );
});
