/** The check of a trunk as a workflow: bounded, sealed, one at a time, and nothing of it is left when somebody dies. */
import { Worker } from '@temporalio/worker';

import type { OutboundTrunkReport } from '../../../contract/trunk-check';
import { uuidV7 } from '../../../store/ids';
import { openCheck, sealCheck } from '../../../store/sealed-check';
import { TrunkCheckWorkflows } from '../../../workflows/client/trunk-check-workflows';
import { trunkCheckWorkflowId } from '../../../workflows/ids';
import type { TrunkCheckInput, TrunkCheckOutcome } from '../../../workflows/trunk-check/messages';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { workflowBundle } from './workflow-bundle';
import type { FakeNode } from './environment';

const NUMBER = '+15559998877';
const SAID = 'the secret words of a carrier';
const REPORT: OutboundTrunkReport = {
  ok: true,
  steps: [{ step: 'dns', ok: true, durationMs: 1, detail: SAID, cause: null, remedy: null }],
  call: {
    from: '+15550001111',
    to: NUMBER,
    sipCallId: 'sip-call',
    startedAtMs: 1_764_000_000_000,
    answeredAtMs: 1_764_000_002_000,
    endedAtMs: 1_764_000_005_000,
    disposition: 'answered',
    endReason: 'api_hangup',
    endedBy: 'api',
    finalStatus: 200,
    reason: 'OK',
    q850: null,
  },
};

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

beforeEach(() => {
  node.control.outboundReport = () => Promise.resolve(REPORT);
  node.control.outboundChecks.length = 0;
});

const workflows = (limitMs = 29_000): TrunkCheckWorkflows => new TrunkCheckWorkflows({ client: env.client, limitMs });

function inputOf(kind: TrunkCheckInput['kind'], changes: Partial<TrunkCheckInput> = {}): TrunkCheckInput {
  const identity = { checkId: uuidV7(), orgId: env.orgId };
  const request = { testNumber: NUMBER, username: 'trunk-user', sipEndpoint: '127.0.0.1:5060' };
  const sealed = sealCheck(env.secrets, identity, request);
  return { ...identity, kind, trunkId: uuidV7(), sealed, beginByMs: Date.now() + 8_000, ...changes };
}

async function check(input: TrunkCheckInput): Promise<TrunkCheckOutcome> {
  const outcome = await workflows().check(input);
  if (outcome === 'running') throw new Error('another check runs');
  return outcome;
}

const handleOf = ({ trunkId }: TrunkCheckInput) => env.client.workflow.getHandle(trunkCheckWorkflowId(trunkId));

async function closed(input: TrunkCheckInput, limitMs = 5_000): Promise<string> {
  return await waitFor('the end of the check', limitMs, async () => {
    const { status } = await handleOf(input).describe();
    return status.name === 'RUNNING' ? undefined : status.name;
  });
}

/** With its payloads readable. */
async function historyOf(input: TrunkCheckInput): Promise<string> {
  const history = await handleOf(input).fetchHistory();
  await Worker.runReplayHistory(
    { workflowBundle: await workflowBundle() },
    history,
    trunkCheckWorkflowId(input.trunkId),
  );
  return JSON.stringify(history, (key, value: unknown) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
  );
}

test('one node looks at an outbound trunk; its test call is a call of the organisation, its words are sealed', async () => {
  const input = inputOf('outbound');
  const { reports, silent, refusals } = await check(input);
  expect([silent, refusals]).toEqual([[], []]);
  expect(reports.map(({ nodeId }) => nodeId)).toEqual([node.nodeId]);
  expect(openCheck(env.secrets, input, reports[0]!.sealed)).toEqual(REPORT);
  expect(node.control.outboundChecks).toMatchObject([{ trunkId: input.trunkId, testNumber: NUMBER }]);
  expect(await env.row(input.checkId)).toMatchObject({
    status: 'completed',
    direction: 'outbound',
    agentId: null,
    trunkId: input.trunkId,
    toNumber: NUMBER,
    disposition: 'answered',
    durationSeconds: 3,
    metadata: { trunk_check: true },
  });
  const { items } = await env.events.list(env.orgId, input.checkId, { limit: 10 });
  expect(items.map(({ type }) => type)).toEqual(['call.started', 'call.ended']);
  expect(await closed(input)).toBe('COMPLETED');
  const history = await historyOf(input);
  for (const secret of [SAID, NUMBER, '+15550001111']) expect(history).not.toContain(secret);
});

test('every live node is asked about the inbound trunk; one that has just died is told apart', async () => {
  const second = await env.startNode('second');
  const mortal = await env.spawnNode('mortal-check');
  const both = inputOf('inbound');
  await mortal.kill();
  const { reports, silent } = await check(both);
  expect(reports.map(({ nodeId }) => nodeId).sort()).toEqual([node.nodeId, 'second'].sort());
  expect(silent).toEqual(['mortal-check']);
  expect(node.control.inboundChecks.at(-1)).toEqual({
    trunkId: both.trunkId,
    username: 'trunk-user',
    sipEndpoint: '127.0.0.1:5060',
  });
  expect(await historyOf(both)).not.toContain('trunk-user');
  await env.stopNode(second);
}, 60_000);

test('there is one check of a trunk at a time, and the next one after it', async () => {
  let finish: (report: OutboundTrunkReport) => void = () => undefined;
  node.control.outboundReport = () => new Promise((resolve) => (finish = resolve));
  const first = inputOf('outbound');
  const checking = check(first);
  await waitFor('the check on its node', 5_000, () => (node.control.outboundChecks.length > 0 ? true : undefined));
  expect(await workflows().check(inputOf('outbound', { trunkId: first.trunkId }))).toBe('running');
  finish(REPORT);
  expect((await checking).reports).toHaveLength(1);
  await closed(first);
  node.control.outboundReport = () => Promise.resolve(REPORT);
  expect((await check(inputOf('outbound', { trunkId: first.trunkId }))).reports).toHaveLength(1);
});

test('whoever asked may go away: the check ends by itself', async () => {
  let finish: (report: OutboundTrunkReport) => void = () => undefined;
  node.control.outboundReport = () => new Promise((resolve) => (finish = resolve));
  const input = inputOf('outbound');
  await expect(workflows(700).check(input)).rejects.toThrow();
  expect((await handleOf(input).describe()).status.name).toBe('RUNNING');
  finish(REPORT);
  expect(await closed(input)).toBe('COMPLETED');
});

test('a worker that dies in the middle gives the check to the next one', async () => {
  let finish: (report: OutboundTrunkReport) => void = () => undefined;
  node.control.outboundReport = () => new Promise((resolve) => (finish = resolve));
  const input = inputOf('outbound');
  const checking = check(input);
  await waitFor('the check on its node', 5_000, () => (node.control.outboundChecks.length > 0 ? true : undefined));
  await env.stopWorker();
  finish(REPORT);
  await env.startWorker();
  expect((await checking).reports).toHaveLength(1);
  expect(node.control.outboundChecks).toHaveLength(1);
  expect(await closed(input)).toBe('COMPLETED');
}, 60_000);

test.each<[string, Partial<TrunkCheckInput>, string]>([
  ['too late', { beginByMs: Date.now() - 1 }, 'too_late'],
  ['sealed with another key', { sealed: 'v1.00000000.AAAA' }, 'unreadable'],
])('what comes %s calls nobody', async (_, changes, refusal) => {
  expect(await check(inputOf('outbound', changes))).toEqual({ reports: [], silent: [], refusals: [refusal] });
  expect(node.control.outboundChecks).toEqual([]);
});

test('a trunk that the node does not know', async () => {
  node.control.outboundReport = () => Promise.resolve(null);
  expect((await check(inputOf('outbound'))).refusals).toEqual(['unknown_trunk']);
});

test('nobody takes the check while every node is full: nothing is done, and it is over in some seconds', async () => {
  node.services.accept(false);
  try {
    // Polls that are out already take some more.
    for (let n = 1; ; n++) {
      const startedMs = performance.now();
      const outcome = await check(inputOf('outbound'));
      if (outcome.reports.length > 0 && n < 20) continue;
      expect(outcome).toEqual({ reports: [], silent: [], refusals: [] });
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      return;
    }
  } finally {
    node.services.accept(true);
  }
}, 60_000);

test('its steps say what they are for', async () => {
  const input = inputOf('outbound');
  await check(input);
  const description = await handleOf(input).describe();
  expect(await description.staticSummary()).toBe(`Check of outbound trunk ${input.trunkId}`);
  const { events = [] } = await handleOf(input).fetchHistory();
  const scheduled = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes != null);
  expect(scheduled).toHaveLength(1);
  expect(scheduled[0]?.userMetadata?.summary).not.toBeNull();
});
