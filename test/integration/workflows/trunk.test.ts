/** The workflow of a trunk on the real server, from its creation until every media node has dropped it. */
import type { temporal } from '@temporalio/proto';
import { MAIN_TASK_QUEUE, trunkWorkflowId } from '../../../workflows/ids';
import { trunkStateQuery } from '../../../workflows/trunk/messages';
import type { TrunkState } from '../../../workflows/trunk/messages';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { ProvisionedTrunks } from './provisioned-trunks';

const FAR = 1_000_000;

let env: WorkflowEnvironment;
let trunks: ProvisionedTrunks;
let orgId: string;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  trunks = new ProvisionedTrunks(env);
  await trunks.node('near', FAR);
}, 60_000);

beforeEach(async () => {
  orgId = await trunks.newOrg();
});

afterAll(async () => {
  trunks?.stop();
  await env?.close();
}, 60_000);

const handle = (trunkId: string) => env.client.workflow.getHandle(trunkWorkflowId(trunkId));
const state = (trunkId: string): Promise<TrunkState> => handle(trunkId).query(trunkStateQuery);

const confirmed = (trunkId: string, version: number): Promise<true> =>
  waitFor(`version ${version} confirmed`, 20_000, async () =>
    (await trunks.row(trunkId))?.confirmed === version ? true : undefined,
  );

async function metadata(trunkId: string): Promise<temporal.api.sdk.v1.IWorkflowMetadata> {
  return await handle(trunkId).query<temporal.api.sdk.v1.IWorkflowMetadata>('__temporal_workflow_metadata');
}

async function isRunning(trunkId: string): Promise<boolean> {
  return (await handle(trunkId).describe()).status.name === 'RUNNING';
}

/** As the schedule runs it; ends as soon as two passes have shown the same. */
async function reconcile(): Promise<void> {
  await env.client.workflow.execute('reconcilerWorkflow', {
    workflowId: `reconciler-${Date.now()}`,
    taskQueue: MAIN_TASK_QUEUE,
    args: [{ runMs: 0 }],
  });
}

test('a version is confirmed when every live media node acts on it, and not before', async () => {
  await trunks.node('behind', 0);
  const trunk = await trunks.createInbound(orgId);
  await env.trunks.signalChange(trunk);
  await waitFor('the first look', 10_000, async () => (await metadata(trunk.trunkId)).currentDetails ?? undefined);
  expect((await metadata(trunk.trunkId)).currentDetails).toBe('**inbound trunk**: on its way to the media nodes');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await trunks.row(trunk.trunkId)).toEqual({ version: trunk.version, confirmed: 0, removed: false });
  await trunks.configured('behind', FAR);
  await confirmed(trunk.trunkId, trunk.version);
  const shown = await waitFor('what is confirmed', 5_000, async () => {
    const { currentDetails } = await metadata(trunk.trunkId);
    return currentDetails?.includes('confirmed') === true ? currentDetails : undefined;
  });
  expect(shown).toContain(`version ${trunk.version} confirmed on 2 of 2 media nodes at 2`);

  const { staticSummary, staticDetails, typedSearchAttributes } = await handle(trunk.trunkId).describe();
  expect(await staticSummary()).toBe(`Inbound trunk of organisation ${orgId}`);
  expect(await staticDetails()).toContain('every live media node');
  const values = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
  expect(Object.fromEntries(values)).toMatchObject({ OrgId: orgId, TrunkId: trunk.trunkId, Direction: 'inbound' });
}, 60_000);

test('the password before a rotation is erased when its time is over, and the trunk lives on', async () => {
  const trunk = await trunks.createInbound(orgId);
  await env.trunks.signalChange(trunk);
  await confirmed(trunk.trunkId, trunk.version);
  const rotated = await trunks.change((tx) => trunks.inbound.rotatePassword(tx, orgId, 2));
  await env.trunks.signalChange({ ...trunk, version: rotated });
  await confirmed(trunk.trunkId, rotated);
  await waitFor('the timer', 5_000, async () =>
    (await state(trunk.trunkId)).graceUntilMs === null ? undefined : true,
  );
  // Erasing it is a version of its own, which the nodes have to act on.
  await confirmed(trunk.trunkId, rotated + 1);
  const [row] = await env.dataSource.query('SELECT * FROM inbound_trunks WHERE id = $1', [trunk.trunkId]);
  expect([row.previous_password_sealed, row.previous_password_until]).toEqual([null, null]);
  const notes = await env.dataSource.query('SELECT action, key_id FROM audit_log WHERE org_id = $1', [orgId]);
  expect(notes).toEqual([{ action: 'erase_previous_password', key_id: null }]);
  expect(await isRunning(trunk.trunkId)).toBe(true);
}, 60_000);

test('a rotation without grace, or another one, ends the wait for the first', async () => {
  const trunk = await trunks.createInbound(orgId);
  const rotate = async (graceSeconds: number): Promise<number> => {
    const version = await trunks.change((tx) => trunks.inbound.rotatePassword(tx, orgId, graceSeconds));
    await env.trunks.signalChange({ ...trunk, version });
    await confirmed(trunk.trunkId, version);
    return version;
  };
  await rotate(3_600);
  await waitFor('an hour', 5_000, async () => (await state(trunk.trunkId)).graceUntilMs ?? undefined);
  const last = await rotate(0);
  await waitFor('none', 5_000, async () => ((await state(trunk.trunkId)).graceUntilMs === null ? true : undefined));
  expect((await state(trunk.trunkId)).confirmed?.version).toBe(last);
}, 60_000);

test('a trunk that was deleted ends its workflow when no media node knows it, and leaves nothing to do', async () => {
  await trunks.node('slow', FAR);
  const trunk = await trunks.createInbound(orgId);
  await env.trunks.signalChange(trunk);
  await confirmed(trunk.trunkId, trunk.version);
  await env.dataSource.query(`UPDATE media_nodes SET config_version = 0 WHERE node_id = 'slow'`);
  const version = await trunks.change((tx) => trunks.inbound.delete(tx, orgId));
  await env.trunks.signalChange({ ...trunk, version, removed: true });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([await isRunning(trunk.trunkId), await trunks.row(trunk.trunkId)]).toMatchObject([true, { removed: true }]);
  await trunks.configured('slow', FAR);
  expect(await handle(trunk.trunkId).result()).toEqual({ removedInVersion: version });
  expect(await trunks.row(trunk.trunkId)).toBeNull();
  // A late word begins a run that finds nothing to do.
  await env.trunks.signalChange({ ...trunk, version, removed: true });
  expect(await handle(trunk.trunkId).result()).toEqual({ removedInVersion: null });
}, 60_000);

test('what nobody was told is told by the reconciler: a creation, a change, a removal', async () => {
  const trunk = await trunks.createInbound(orgId);
  await trunks.passTime();
  await reconcile();
  await confirmed(trunk.trunkId, trunk.version);
  const changed = await trunks.change((tx) => trunks.inbound.update(tx, orgId, { mediaTimeoutSeconds: 60 }));
  await trunks.passTime();
  await reconcile();
  await confirmed(trunk.trunkId, changed);
  const removed = await trunks.change((tx) => trunks.inbound.delete(tx, orgId));
  await trunks.passTime();
  await reconcile();
  expect(await handle(trunk.trunkId).result()).toEqual({ removedInVersion: removed });
}, 60_000);

test('a worker that is away, and a workflow that was terminated, delay a confirmation and lose none', async () => {
  const trunk = await trunks.createInbound(orgId);
  await env.trunks.signalChange(trunk);
  await confirmed(trunk.trunkId, trunk.version);
  await env.stopWorker();
  const version = await trunks.change((tx) => trunks.inbound.rotatePassword(tx, orgId, 1));
  await env.trunks.signalChange({ ...trunk, version });
  await env.startWorker();
  await confirmed(trunk.trunkId, version + 1);
  await handle(trunk.trunkId).terminate('operator');
  const after = await trunks.change((tx) => trunks.inbound.update(tx, orgId, { mediaTimeoutSeconds: 90 }));
  await trunks.passTime();
  await reconcile();
  await confirmed(trunk.trunkId, after);
  expect(await isRunning(trunk.trunkId)).toBe(true);
}, 60_000);

test('how an outbound trunk fares stands in its details, with the reasons', async () => {
  const carrier = {
    name: 'C',
    host: 'sip.example',
    username: 'u',
    password: 'very-secret',
    callerNumber: '+15550100777',
  };
  let trunkId = '';
  const version = await trunks.change(async (tx) => {
    ({ id: trunkId } = await trunks.outbound.create(tx, orgId, carrier));
  });
  const at = new Date().toISOString();
  const change = {
    state: 'down',
    at,
    nodeId: 'near',
    reasons: [{ code: 'no_answer', message: 'The carrier does not answer' }],
  } as const;
  expect(await env.trunks.signalHealth(trunkId, change)).toBe('gone');
  await env.trunks.signalChange({ orgId, trunkId, direction: 'outbound', version, removed: false });
  await confirmed(trunkId, version);
  expect(await env.trunks.signalHealth(trunkId, change)).toBe('delivered');
  const shown = await waitFor('the health', 5_000, async () => {
    const { currentDetails } = await metadata(trunkId);
    return currentDetails?.includes('health') === true ? currentDetails : undefined;
  });
  expect(shown).toContain(
    `- health: **down** since ${at}, as near sees it\n  - no_answer: The carrier does not answer`,
  );
  const history = JSON.stringify(await handle(trunkId).fetchHistory(), (key, value: unknown) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
  );
  expect(history).toContain(trunkId);
  expect(history).not.toMatch(/very-secret|15550100777/);
}, 60_000);

test('a new run, begun when its history is full, knows what the one before knew, and goes on', async () => {
  const trunk = await trunks.createInbound(orgId);
  const version = await trunks.change((tx) => trunks.inbound.rotatePassword(tx, orgId, 3_600));
  await env.trunks.signalChange({ ...trunk, version });
  await confirmed(trunk.trunkId, version);
  const at = new Date().toISOString();
  const change = { state: 'healthy', reasons: [], at, nodeId: 'near' } as const;
  await env.trunks.signalHealth(trunk.trunkId, change);
  const before = await waitFor('all of it', 5_000, async () => {
    const known = await state(trunk.trunkId);
    return known.graceUntilMs === null || known.health === null ? undefined : known;
  });
  const { runId } = await handle(trunk.trunkId).describe();
  // The server suggests a new run at 4 MiB of history; words that come late change nothing but its size.
  const late = { ...change, at: new Date(0).toISOString(), nodeId: 'x'.repeat(900_000) };
  await waitFor('another run', 20_000, async () => {
    await env.trunks.signalHealth(trunk.trunkId, late).catch(() => undefined); // not taken while the run closes
    return (await handle(trunk.trunkId).describe()).runId === runId ? undefined : true;
  });
  expect(await state(trunk.trunkId)).toEqual(before);
  await env.dataSource.query('UPDATE inbound_trunks SET previous_password_until = now() WHERE id = $1', [
    trunk.trunkId,
  ]);
  const after = await trunks.change((tx) => trunks.inbound.update(tx, orgId, { mediaTimeoutSeconds: 60 }));
  await env.trunks.signalChange({ ...trunk, version: after });
  // The erasure is the version after it.
  await confirmed(trunk.trunkId, after + 1);
}, 60_000);

test('each step of it, and each message to it, says what it is for', async () => {
  const trunk = await trunks.createInbound(orgId);
  await env.trunks.signalChange(trunk);
  await confirmed(trunk.trunkId, trunk.version);
  const rotated = await trunks.change((tx) => trunks.inbound.rotatePassword(tx, orgId, 1));
  await env.trunks.signalChange({ ...trunk, version: rotated });
  await confirmed(trunk.trunkId, rotated + 1);
  const { events } = await handle(trunk.trunkId).fetchHistory();
  const steps = (events ?? []).filter(
    (event) => event.timerStartedEventAttributes != null || event.activityTaskScheduledEventAttributes != null,
  );
  expect(steps.length).toBeGreaterThanOrEqual(4);
  expect(steps.filter(({ userMetadata }) => userMetadata?.summary == null)).toEqual([]);
  const { signalDefinitions, queryDefinitions } = (await metadata(trunk.trunkId)).definition ?? {};
  const own = [...(signalDefinitions ?? []), ...(queryDefinitions ?? [])].filter(({ name }) => !name?.startsWith('__'));
  expect(new Set(own.map(({ name }) => name))).toEqual(
    new Set(['configChanged', 'healthChanged', 'removed', 'trunkState']),
  );
  for (const { name, description } of own) expect(`${name}: ${description ?? ''}`).toMatch(/: \S/);
}, 60_000);
