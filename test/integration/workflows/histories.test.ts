/**
 * Runs workflows of every kind on the real server and replays what they recorded. `SAVE_HISTORIES=<release>` also writes
 * the histories to test/fixtures/histories/<release>, none over another, where `replay.test.ts` holds later versions of
 * the workflows to them.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import type { VerificationRound } from '../../../contract/number-verification';
import { campaignCallId, codeCallId } from '../../../store/ids';
import { roundOf } from '../../../store/repositories/number-verification-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import { nodeLostSignal, verifySignal } from '../../../workflows/call/messages';
import { NumberSyncWorkflows } from '../../../workflows/client/number-sync-workflows';
import { NumberWorkflows } from '../../../workflows/client/number-workflows';
import type { TrunkChange } from '../../../workflows/client/trunk-workflows';
import {
  callWorkflowId,
  campaignWorkflowId,
  MAIN_TASK_QUEUE,
  mediaNodeWorkflowId,
  numberSyncWorkflowId,
  numberVerificationWorkflowId,
  trunkWorkflowId,
} from '../../../workflows/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import type { DialPlan } from '../../fakes/fake-media-control';
import { CampaignRows } from '../../support/campaign-rows';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { workflowBundle } from './workflow-bundle';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';
import { PlannedDials } from './planned-dials';
import { ProvisionedTrunks } from './provisioned-trunks';

const RELEASE = process.env['SAVE_HISTORIES'];
const FOLDER = join(__dirname, '../../fixtures/histories', RELEASE ?? '');

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

async function inbound(answered: boolean): Promise<string> {
  const { callId } = await env.receiveCall(node);
  await env.rowIs(callId, 'ringing');
  if (answered) {
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
  }
  return callId;
}

const outbound = (...dials: readonly DialPlan[]): Promise<string> => calls.place(dials);

const SCENARIOS: Readonly<Record<string, () => Promise<string>>> = {
  'inbound-plain': async () => {
    const callId = await inbound(true);
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'inbound-hangup-by-api': async () => {
    const callId = await inbound(true);
    await hangUp(env, callId);
    return callId;
  },
  'inbound-cancelled-in-ui': async () => {
    const callId = await inbound(true);
    await env.handle(callId).cancel();
    return callId;
  },
  'inbound-node-lost': async () => {
    const callId = await inbound(true);
    await env.handle(callId).signal(nodeLostSignal, { bootId: node.bootId });
    return callId;
  },
  'inbound-setup-abandoned': async () => {
    const callId = await inbound(false);
    node.control.forget(callId);
    await env.handle(callId).signal(verifySignal, { bootId: node.bootId });
    return callId;
  },
  'inbound-forgotten': async () => {
    const callId = await inbound(true);
    node.control.forget(callId);
    await env.handle(callId).signal(verifySignal, { bootId: node.bootId });
    return callId;
  },
  'outbound-plain': async () => {
    const callId = await outbound({ kind: 'ring' });
    await env.rowIs(callId, 'ringing');
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-busy': () =>
    outbound({ kind: 'end', ending: { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null } }),
  'outbound-dialled-again': async () => {
    const callId = await outbound({ kind: 'refuse', code: 'node_full' }, { kind: 'answer' });
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-expired': async () => {
    const input = env.outboundInput({ acceptByMs: Date.now() - 1_000 });
    await env.placeCall(input);
    return input.callId;
  },
  'outbound-uncertain': () => outbound({ kind: 'hang_after_intended' }),
  'outbound-adopted': async () => {
    const callId = await outbound({ kind: 'fail_after_invite' });
    await waitFor('the call on its node', 5_000, () => (node.control.calls.has(callId) ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-unreachable': () => outbound({ kind: 'unreachable', reason: 'connection refused' }),
  'outbound-holder-gone': async () => {
    const callId = await outbound({ kind: 'held_elsewhere', holder: 'nobody' }, { kind: 'answer' });
    await env.rowIs(callId, 'in_progress', 15_000);
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-hangup-while-dialling': async () => {
    const callId = await outbound({ kind: 'reach_for', ms: 2_500 });
    await waitFor('the dial', 5_000, () => node.control.calls.get(callId));
    await hangUp(env, callId);
    return callId;
  },
  'outbound-hangup-while-queued': async () => {
    const callId = await outbound(...Array<DialPlan>(5).fill({ kind: 'refuse', code: 'node_full' }));
    await hangUp(env, callId);
    return callId;
  },
};

async function replay(name: string, workflowId: string): Promise<void> {
  const history = await env.client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
  if (RELEASE === undefined) return;
  const file = join(FOLDER, `${name}.json`);
  // What a release has written is what its workflows still run on.
  if (existsSync(file)) throw new Error(`${name} of ${RELEASE} stands already`);
  mkdirSync(FOLDER, { recursive: true });
  const json = historyToJSON(history)
    .replace(/("identity":\s*)"[^"]*"/g, '$1"test"')
    .replaceAll(`${PROJECT_ROOT}/`, '');
  writeFileSync(file, `${json}\n`);
}

test('calls of every kind replay', async () => {
  const running = Object.entries(SCENARIOS).map(async ([name, run]) => {
    const callId = await run();
    await env.finished(callId, 30_000);
    return [name, callId] as const;
  });
  for (const [name, callId] of await Promise.all(running)) await replay(name, callWorkflowId(callId));
}, 90_000);

test('the workflow of a media node replays, over an orderly stop and over a loss', async () => {
  const extra = await env.startNode('another');
  await env.stopNode(extra);
  await env.client.workflow.getHandle(mediaNodeWorkflowId('another')).result();
  await replay('media-node-started-and-stopped', mediaNodeWorkflowId('another'));

  const mortal = await env.spawnNode('mortal');
  const { callId, sipCallId } = await env.startInbound(mortal);
  mortal.order({ do: 'inbound', callId, orgId: env.orgId, sipCallId });
  mortal.order({ do: 'answer', callId });
  await env.rowIs(callId, 'in_progress');
  await mortal.kill();
  expect(await env.finished(callId, 30_000)).toMatchObject({ endReason: 'media_node_lost' });
  await env.client.workflow.getHandle(mediaNodeWorkflowId('mortal')).result();
  await replay('media-node-lost', mediaNodeWorkflowId('mortal'));
}, 90_000);

/** A run that ends as soon as two passes have shown all there is. */
async function reconcile(workflowId: string): Promise<void> {
  await env.client.workflow.execute('reconcilerWorkflow', {
    workflowId,
    taskQueue: MAIN_TASK_QUEUE,
    args: [{ runMs: 0 }],
  });
}

test('the reconciler replays, with nothing to do and with a call to close', async () => {
  const once = async (name: string): Promise<void> => {
    await reconcile(name);
    await replay(name, name);
  };
  await once('reconciler-nothing-found');
  const callId = await inbound(true);
  await env.handle(callId).terminate('operator');
  await waitFor('a call that is old enough', 30_000, async () => {
    const name = `reconciler-${Date.now()}`;
    await reconcile(name);
    if ((await env.row(callId))?.status !== 'completed') return undefined;
    await replay('reconciler-settled', name);
    return true;
  });
}, 90_000);

test('the workflow of a campaign replays, over its completion and over its end by cancel', async () => {
  await env.dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [env.orgId]);
  const rows = new CampaignRows(env.dataSource, env.orgId);
  await rows.agent(env.agentId);
  const retry = { rules: {}, maxAttemptsTotal: 1 };
  const begin = async (dial: DialPlan): Promise<{ id: string; callId: string }> => {
    const { id } = await rows.campaign({ trunkIds: [await rows.trunk()], agentId: env.agentId, retry });
    const contact = await rows.contact(id);
    const callId = campaignCallId(id, contact.id, 1);
    calls.plan(callId, [dial]);
    await env.campaigns.tell({ orgId: env.orgId, campaignId: id });
    return { id, callId };
  };
  const busy = { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null } as const;
  const completed = await begin({ kind: 'end', ending: busy });
  const canceled = await begin({ kind: 'ring' });
  await waitFor('the phone that rings', 15_000, () => node.control.calls.get(canceled.callId));
  await env.dataSource.query(`UPDATE campaigns SET status = 'canceled', version = version + 1 WHERE id = $1`, [
    canceled.id,
  ]);
  await env.campaigns.tell({ orgId: env.orgId, campaignId: canceled.id });
  for (const { id, callId } of [completed, canceled]) {
    await env.finished(callId);
    const status = id === completed.id ? 'completed' : 'canceled';
    expect(await env.client.workflow.getHandle(campaignWorkflowId(id)).result()).toEqual({ status });
    await replay(`campaign-${status}`, campaignWorkflowId(id));
  }
}, 60_000);

describe('of a number that is verified', () => {
  let trunks: ProvisionedTrunks;
  let numbers: PhoneNumberRepository;
  let orgId: string;
  let trunkId: string;
  let last = 0;

  beforeAll(async () => {
    trunks = new ProvisionedTrunks(env);
    numbers = new PhoneNumberRepository(env.dataSource);
    orgId = await trunks.newOrg();
    const carrier = { name: 'C', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };
    await trunks.change(async (tx) => {
      ({ id: trunkId } = await trunks.outbound.create(tx, orgId, carrier));
    });
  });

  const verifications = (): NumberWorkflows => new NumberWorkflows({ client: env.client, limitMs: 5_000 });
  const handle = ({ numberId }: VerificationRound) =>
    env.client.workflow.getHandle(numberVerificationWorkflowId(numberId));
  const aNumber = (): string => `+1202555${String((last += 1)).padStart(4, '0')}`;

  async function begin(
    method: VerificationRound['method'],
    {
      phoneNumber = aNumber(),
      dials,
      validMs = 60_000,
    }: { phoneNumber?: string; dials?: DialPlan[]; validMs?: number } = {},
  ): Promise<VerificationRound> {
    let round: VerificationRound | null = null;
    const codeExpiresAt = new Date(Date.now() + validMs);
    const through = method === 'outbound_code' ? trunkId : null;
    await trunks.change(async (tx) => {
      const number = { phoneNumber, status: 'pending', method, trunkId: through, codeExpiresAt } as const;
      round = roundOf(await numbers.create(tx, orgId, number));
    });
    if (round === null) throw new Error('the number is not being verified');
    if (dials !== undefined) calls.plan(codeCallId(round), dials);
    await verifications().begin(round);
    return round;
  }

  const rings = (round: VerificationRound): Promise<unknown> =>
    waitFor('the code call', 10_000, () => node.control.calls.get(codeCallId(round)));

  async function endsAs(status: string | null, round: VerificationRound, name: string): Promise<void> {
    expect(await handle(round).result()).toEqual({ status });
    await replay(name, numberVerificationWorkflowId(round.numberId));
  }

  test('its workflow replays, over a code that was confirmed while it was spoken', async () => {
    const round = await begin('outbound_code', { dials: [{ kind: 'answer' }] });
    await rings(round);
    await verifications().over(round, false);
    await endsAs(null, round, 'number-code-confirmed');
    node.control.end(codeCallId(round), PEER_HANGUP);
  }, 30_000);

  test('over a call that was not answered, and one that nobody confirmed', async () => {
    const busy = { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null } as const;
    const failed = await begin('outbound_code', { dials: [{ kind: 'end', ending: busy }] });
    await endsAs('failed', failed, 'number-code-busy');
    const unheard = await begin('outbound_code', { dials: [{ kind: 'answer' }], validMs: 3_000 });
    await endsAs('expired', unheard, 'number-code-expired');
  }, 30_000);

  test('over a round that was begun anew, and given up', async () => {
    const phoneNumber = aNumber();
    const first = await begin('outbound_code', { phoneNumber });
    await rings(first);
    const second = await begin('outbound_code', { phoneNumber });
    await rings(second);
    expect(second).toMatchObject({ numberId: first.numberId, n: 2 });
    await verifications().over(second, true);
    await endsAs(null, second, 'number-code-anew');
  }, 30_000);

  test('over a call that came in, and one that did not', async () => {
    const called = await begin('inbound_call');
    await verifications().called(called);
    await endsAs('verified', called, 'number-called-in');
    await endsAs('expired', await begin('inbound_call', { validMs: 1_500 }), 'number-not-called');
  }, 30_000);
});

describe('of the trunks of an organisation', () => {
  let trunks: ProvisionedTrunks;
  let orgId: string;

  beforeAll(async () => {
    trunks = new ProvisionedTrunks(env);
    orgId = await trunks.newOrg();
  });

  /** Its workflow is told, and has confirmed it. */
  async function follow(trunk: TrunkChange, version = trunk.version): Promise<void> {
    await env.trunks.signalChange({ ...trunk, version });
    await confirmed(trunk.trunkId, version);
  }

  const confirmed = (trunkId: string, version: number): Promise<true> =>
    waitFor(`version ${version} confirmed`, 20_000, async () =>
      (await trunks.row(trunkId))?.confirmed === version ? true : undefined,
    );

  async function remove(trunk: TrunkChange, version: number): Promise<void> {
    await env.trunks.signalChange({ ...trunk, version, removed: true });
    await env.client.workflow.getHandle(trunkWorkflowId(trunk.trunkId)).result();
  }

  test('the workflow of the inbound one replays, over a rotation and its removal', async () => {
    const trunk = await trunks.createInbound(orgId);
    await follow(trunk);
    const rotated = await trunks.change((tx) => trunks.inbound.rotatePassword(tx, orgId, 1));
    await follow(trunk, rotated);
    await confirmed(trunk.trunkId, rotated + 1);
    await remove(trunk, await trunks.change((tx) => trunks.inbound.delete(tx, orgId)));
    await replay('trunk-inbound', trunkWorkflowId(trunk.trunkId));
  }, 60_000);

  test('the workflow of an outbound one replays, over changes of its health', async () => {
    const carrier = { name: 'C', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };
    let trunkId = '';
    const version = await trunks.change(async (tx) => {
      ({ id: trunkId } = await trunks.outbound.create(tx, orgId, carrier));
    });
    const trunk: TrunkChange = { orgId, trunkId, direction: 'outbound', version, removed: false };
    await follow(trunk);
    for (const state of ['down', 'healthy'] as const) {
      const reasons = state === 'down' ? [{ code: 'no_answer', message: 'The carrier does not answer' } as const] : [];
      const change = { state, reasons, at: new Date().toISOString(), nodeId: node.nodeId };
      expect(await env.trunks.signalHealth(trunkId, change)).toBe('delivered');
    }
    await remove(trunk, await trunks.change((tx) => trunks.outbound.delete(tx, orgId, trunkId)));
    await replay('trunk-outbound', trunkWorkflowId(trunkId));
  }, 60_000);

  test('the workflow that syncs its numbers replays, with and without a trunk', async () => {
    const syncs = new NumberSyncWorkflows(env.client);
    const sync = (syncId: string): ReturnType<NumberSyncWorkflows['sync']> =>
      syncs.sync({ orgId, trunkId: orgId }, { syncId, keyId: orgId, requestId: 'r' }, Date.now() + 10_000);
    const workflowId = numberSyncWorkflowId(orgId);
    expect(await sync('first')).toEqual({ outcome: 'no_trunk' });
    await env.client.workflow.getHandle(workflowId).result();
    await replay('number-sync-no-trunk', workflowId);
    await trunks.createInbound(orgId);
    const both = await Promise.all([sync('second'), sync('third')]);
    expect(both).toMatchObject([{ outcome: 'synced' }, { outcome: 'synced' }]);
    await env.client.workflow.getHandle(workflowId).result();
    await replay('number-sync', workflowId);
  }, 60_000);
});
