import type { DialRefusal } from '../../../contract/commands';
import type { DialPlan } from '../../fakes/fake-media-control';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';
import { PlannedDials } from './planned-dials';

let env: WorkflowEnvironment;
let node: FakeNode;
let calls: PlannedDials;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  calls = new PlannedDials(env, node);
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

const invitesOf = async (callId: string): Promise<number> => {
  const attempts = await env.attempts(callId);
  return node.control.invites.filter((id) => attempts.some(({ sipCallId }) => sipCallId === id)).length;
};

// Tests that leave the node as it is look at their own call alone, and wait beside each other.
describe('nothing was sent', () => {
  test.concurrent(
    'a refused dial is tried again with another attempt and another Call-ID',
    async () => {
      const callId = await calls.place([{ kind: 'refuse', code: 'node_full' }, { kind: 'answer' }]);
      await env.rowIs(callId, 'in_progress');
      node.control.end(callId, PEER_HANGUP);
      expect(await env.finished(callId)).toMatchObject({ disposition: 'answered' });
      const ids = node.control.dials.filter((dial) => dial.callId === callId).map(({ sipCallId }) => sipCallId);
      expect(new Set(ids).size).toBe(2);
      expect(await env.attempts(callId)).toMatchObject([{ n: 2, state: 'finished' }]);
    },
    30_000,
  );

  test.concurrent(
    'until the deadline of the call, then it ends as failed',
    async () => {
      const refuse = { kind: 'refuse', code: 'node_draining' } as const;
      const callId = await calls.place(Array<DialPlan>(20).fill(refuse), { dialByMs: Date.now() + 2_500 });
      expect(await env.finished(callId)).toMatchObject({ disposition: 'failed', endReason: null, truncated: false });
      expect(await invitesOf(callId)).toBe(0);
    },
    30_000,
  );

  test.concurrent.each([['no_port', /no UDP port/]] as const)(
    '%s until the deadline: the record and its event say that it was the trunk',
    async (code, words) => {
      const callId = await calls.place(Array<DialPlan>(20).fill({ kind: 'refuse', code }), {
        dialByMs: Date.now() + 2_500,
      });
      const row = await env.finished(callId);
      expect(row).toMatchObject({ disposition: 'failed', endReason: null, endedBy: 'system', sipFinalStatus: null });
      expect(row.sipReason).toMatch(words);
      expect(
        (await env.events.list(env.orgId, callId)).items.find(({ type }) => type === 'call.failed')?.data,
      ).toMatchObject({
        disposition: 'failed',
        reason: row.sipReason,
      });
    },
    30_000,
  );

  test.concurrent(
    'a trunk that cannot be reached is not tried again, and the record says why',
    async () => {
      const callId = await calls.place([{ kind: 'unreachable', reason: 'connection refused' }]);
      expect(await env.finished(callId, 5_000)).toMatchObject({
        disposition: 'trunk_unreachable',
        endReason: null,
        endedBy: 'system',
        sipReason: 'connection refused',
        truncated: false,
      });
      expect(node.control.dials.filter((dial) => dial.callId === callId)).toHaveLength(1);
      expect(await env.attempts(callId)).toMatchObject([{ n: 1, state: 'not_sent' }]);
    },
    30_000,
  );

  test.concurrent(
    'as nodes of 0.1.0 said it: unresolvable three times is an unreachable trunk',
    async () => {
      const code = 'unresolvable' as DialRefusal;
      const callId = await calls.place(Array<DialPlan>(5).fill({ kind: 'refuse', code }));
      expect(await env.finished(callId)).toMatchObject({ disposition: 'trunk_unreachable' });
    },
    30_000,
  );

  test.concurrent(
    'hung up while its node waits for a name or a connection it is canceled there and then',
    async () => {
      const callId = await calls.place([{ kind: 'reach_for', ms: 2_800 }]);
      await waitFor('the dial', 5_000, () => node.control.calls.get(callId));
      const askedMs = Date.now();
      expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
      expect(Date.now() - askedMs).toBeLessThan(2_400);
      expect(await env.finished(callId)).toMatchObject({ disposition: 'canceled', endedBy: 'api', truncated: false });
      expect(await invitesOf(callId)).toBe(0);
      expect(await env.attempts(callId)).toMatchObject([{ n: 1, state: 'not_sent' }]);
    },
    30_000,
  );

  test('no media node takes the dial: it is tried again when one does', async () => {
    node.services.accept(false);
    const callId = await calls.place([{ kind: 'answer' }]);
    expect(await env.row(callId)).not.toBeNull();
    // Polls that were out already may still bring the first dials; they are used up by now or time out.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    node.services.accept(true);
    await env.rowIs(callId, 'in_progress', 15_000);
    node.control.end(callId, PEER_HANGUP);
    await env.finished(callId);
    expect(await invitesOf(callId)).toBe(1);
  }, 30_000);

  test.concurrent(
    'hung up while it waits for its next attempt it is canceled and never dialled',
    async () => {
      const callId = await calls.place(Array<DialPlan>(20).fill({ kind: 'refuse', code: 'node_full' }));
      await waitFor('the first dial', 5_000, () => node.control.dials.find((dial) => dial.callId === callId));
      expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
      expect(await env.finished(callId)).toMatchObject({ disposition: 'canceled', endedBy: 'api' });
      expect(await invitesOf(callId)).toBe(0);
    },
    30_000,
  );
});

describe('who is called has registered at another node', () => {
  test('that node dials at once, by its own queue', async () => {
    const other = await env.startNode('holder');
    // Whoever takes the first dial does not hold it yet.
    other.control.plan = ({ callId: id }) => {
      const dials = [...node.control.dials, ...other.control.dials].filter((dial) => dial.callId === id);
      return dials.length === 1 ? { kind: 'held_elsewhere', holder: 'holder' } : { kind: 'answer' };
    };
    const callId = await calls.place([{ kind: 'held_elsewhere', holder: 'holder' }]);
    await env.rowIs(callId, 'in_progress');
    expect(other.control.calls.get(callId)).toMatchObject({ state: 'answered' });
    expect(node.control.calls.has(callId)).toBe(false);
    expect(await env.attempts(callId)).toMatchObject([{ n: 2 }]);
    other.control.end(callId, PEER_HANGUP);
    expect(await env.finished(callId)).toMatchObject({ disposition: 'answered' });
    await env.stopNode(other);
  }, 30_000);

  test('a holder that is gone is found out, and any node tries again', async () => {
    const callId = await calls.place([{ kind: 'held_elsewhere', holder: 'nobody' }, { kind: 'answer' }]);
    await env.rowIs(callId, 'in_progress', 15_000);
    node.control.end(callId, PEER_HANGUP);
    expect(await env.finished(callId)).toMatchObject({ disposition: 'answered' });
    expect(await invitesOf(callId)).toBe(1);
  }, 30_000);
});

describe('who is called has registered at several other nodes', () => {
  test('the holder of the next contact is asked when the first does not take the dial', async () => {
    const [first, second] = [await env.startNode('first'), await env.startNode('second')];
    const planned = node.control.plan;
    const dialled: string[] = [];
    for (const { control } of [node, first, second]) {
      // Whoever takes the first dial holds nothing.
      control.plan = ({ askedInVain = [] }) => {
        if (dialled.push(control.nodeId) === 1) return { kind: 'held_elsewhere', holder: 'first' };
        if (!askedInVain.includes('first')) return { kind: 'refuse', code: 'node_full' };
        return control === second.control ? { kind: 'answer' } : { kind: 'held_elsewhere', holder: 'second' };
      };
    }
    const input = env.outboundInput();
    const placedMs = Date.now();
    await env.placeCall(input);
    await env.rowIs(input.callId, 'in_progress');
    expect(Date.now() - placedMs).toBeLessThan(2_000);
    expect([dialled[1], dialled.at(-1)]).toEqual(['first', 'second']);
    expect([first, second].map(({ control }) => control.invites.length)).toEqual([0, 1]);
    expect(node.control.calls.has(input.callId)).toBe(false);
    second.control.end(input.callId, PEER_HANGUP);
    expect(await env.finished(input.callId)).toMatchObject({ disposition: 'answered' });
    node.control.plan = planned;
    await Promise.all([env.stopNode(first), env.stopNode(second)]);
  }, 30_000);
});

describe('the dial was begun and never returned', () => {
  const stuck: readonly DialPlan['kind'][] = ['hang_before_intended', 'hang_after_intended', 'hang_after_invite'];
  const placed = new Map<DialPlan['kind'], Promise<string>>();

  beforeAll(() => {
    for (const kind of stuck) placed.set(kind, calls.place([{ kind } as DialPlan]));
  });

  test.concurrent.each(['hang_before_intended', 'hang_after_intended'] as const)(
    '%s: no node has the call, so it is uncertain, entombed and not dialled again',
    async (kind) => {
      const callId = (await placed.get(kind)) ?? '';
      const row = await env.finished(callId, 30_000);
      expect(row).toMatchObject({ disposition: 'uncertain', endReason: null, truncated: true });
      expect(node.control.tombstones).toContain(callId);
      expect(node.control.dials.filter((dial) => dial.callId === callId)).toHaveLength(1);
      const attempts = await env.attempts(callId);
      expect(attempts.map(({ state }) => state)).toEqual(kind === 'hang_before_intended' ? [] : ['uncertain']);
      expect(await invitesOf(callId)).toBe(0);
    },
    40_000,
  );

  test.concurrent(
    'hang_after_invite: the node that has the call keeps it',
    async () => {
      const callId = (await placed.get('hang_after_invite')) ?? '';
      await new Promise((resolve) => setTimeout(resolve, 6_500));
      node.control.answer(callId);
      await env.rowIs(callId, 'in_progress');
      node.control.end(callId, PEER_HANGUP);
      expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', truncated: false });
      expect(await invitesOf(callId)).toBe(1);
      expect(await env.attempts(callId)).toMatchObject([{ n: 1, state: 'finished' }]);
    },
    40_000,
  );

  test.concurrent(
    'events that are faster than the dial name the node, and the answer counts',
    async () => {
      const callId = await calls.place([{ kind: 'hang_after_invite' }]);
      await waitFor('the INVITE', 5_000, () => (node.control.calls.has(callId) ? true : undefined));
      node.control.answer(callId);
      await waitFor('the answer in the workflow', 5_000, async () => {
        const state = await env.handle(callId).query<{ status: string }>('status');
        return state.status === 'in_progress' ? true : undefined;
      });
      node.control.end(callId, PEER_HANGUP);
      expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', nodeId: node.nodeId });
    },
    40_000,
  );

  test.concurrent(
    'a node that failed after the INVITE is asked, and keeps the call',
    async () => {
      const callId = await calls.place([{ kind: 'fail_after_invite' }]);
      await waitFor('the INVITE', 5_000, () => (node.control.calls.has(callId) ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, 500));
      node.control.answer(callId);
      await env.rowIs(callId, 'in_progress');
      node.control.end(callId, PEER_HANGUP);
      await env.finished(callId);
      expect(await invitesOf(callId)).toBe(1);
    },
    40_000,
  );
});
