/** The sync of numbers on the real workflow: one at a time, done once, and told apart from one that nobody took up. */
import { createNumberSyncActivities } from '../../../activities/provisioning/number-sync-activities';
import { uuidV7 } from '../../../store/ids';
import { numberSyncWorkflowId, trunkWorkflowId } from '../../../workflows/ids';
import { testServers } from '../../support/servers';
import { TcpRelay } from '../../support/tcp-relay';
import { WorkflowEnvironment } from '../workflows/environment';
import { waitFor } from '../../support/wait-for';
import type { ApiServer } from './support/api-server';
import { DiallingApi } from './support/dialling-api';

const PATH = '/phone/sip/inbound-trunk';
const NUMBERS = ['+15550100001', '+15550100002', '+15550100003'];

describe('the sync of the inbound trunk', () => {
  let env: WorkflowEnvironment;
  let dialling: DiallingApi;
  let api: ApiServer;
  let trunkId: string;

  beforeAll(async () => {
    env = await WorkflowEnvironment.start();
    const { temporalAddress } = testServers();
    dialling = await DiallingApi.start({ temporalAddress, namespace: env.namespace, database: env });
    ({ api } = dialling);
    for (const phone_number of NUMBERS) await api.post('/phone/numbers', { phone_number, method: 'attest' });
  }, 60_000);
  beforeEach(async () => {
    await api.delete(PATH);
    trunkId = (await api.post(PATH, { phone_numbers: [NUMBERS[0]] })).body.id;
    await env.dataSource.query('DELETE FROM audit_log');
  });
  afterAll(async () => {
    await dialling?.stop();
    await env?.close();
  }, 60_000);

  const notes = (): Promise<{ key_id: string; request_id: string; after: Record<string, unknown> }[]> =>
    env.dataSource.query(`SELECT key_id, request_id, before, after FROM audit_log WHERE action = 'sync_numbers'`);
  const workflow = () => env.client.workflow.getHandle(numberSyncWorkflowId(api.tenant.orgId));

  it('lists the verified numbers, and says in the audit log and in its result what changed, without numbers', async () => {
    const { status, body } = await api.post(`${PATH}/sync`, undefined, { headers: { 'X-Request-Id': 'req-sync' } });
    expect([status, body.id, body.phone_numbers]).toEqual([200, trunkId, NUMBERS]);
    expect(body.auth_password).toHaveLength(32);
    expect(await notes()).toMatchObject([
      {
        key_id: api.tenant.keyId,
        request_id: 'req-sync',
        before: { phone_numbers: [NUMBERS[0]] },
        after: { phone_numbers: NUMBERS, added: 2, removed: 0 },
      },
    ]);
    expect(await workflow().result()).toEqual({ syncs: 1, added: 2, removed: 0 });
    const { staticSummary, typedSearchAttributes } = await workflow().describe();
    expect(await staticSummary()).toBe(`Number sync of organisation ${api.tenant.orgId}`);
    const values = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(values)).toMatchObject({ OrgId: api.tenant.orgId, TrunkId: trunkId });
    const history = JSON.stringify(await workflow().fetchHistory(), (key, value: unknown) =>
      key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
    );
    for (const number of NUMBERS) expect(history).not.toContain(number.slice(1));
    // The trunk's own workflow confirms the set like any other change.
    const version = (await env.dataSource.query('SELECT version FROM inbound_trunks WHERE id = $1', [trunkId]))[0]
      .version;
    await waitFor('the confirmation', 15_000, async () => {
      const [row] = await env.dataSource.query('SELECT * FROM trunk_provisioning WHERE trunk_id = $1', [trunkId]);
      return row.confirmed_version === version ? true : undefined;
    });
    expect((await env.client.workflow.getHandle(trunkWorkflowId(trunkId)).describe()).status.name).toBe('RUNNING');
  }, 60_000);

  it('is done one at a time however many are asked for, each with its note', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.post(`${PATH}/sync`)));
    expect(answers.map(({ status, body }) => [status, body.phone_numbers])).toEqual(
      Array.from({ length: 8 }, () => [200, NUMBERS]),
    );
    const all = await notes();
    expect(all).toHaveLength(8);
    // Only the first of them had something to change.
    expect(all.map(({ after }) => after['added']).filter((added) => added !== 0)).toEqual([2]);
    const runs: string[][] = [];
    const query = `WorkflowId = '${numberSyncWorkflowId(api.tenant.orgId)}'`;
    for await (const { runId } of env.client.workflow.list({ query })) {
      const { events } = await env.client.workflow
        .getHandle(numberSyncWorkflowId(api.tenant.orgId), runId)
        .fetchHistory();
      runs.push(
        (events ?? []).flatMap((event) =>
          event.activityTaskScheduledEventAttributes != null
            ? 'begun'
            : event.activityTaskCompletedEventAttributes != null
              ? 'done'
              : [],
        ),
      );
    }
    for (const steps of runs) {
      expect(steps).toEqual(steps.map((_, index) => (index % 2 === 0 ? 'begun' : 'done')));
    }
  }, 60_000);

  it('that is done again under its id changes nothing more, and tells the same', async () => {
    const activities = createNumberSyncActivities({ session: env.dataSource, secrets: env.secrets });
    const { orgId, keyId } = api.tenant;
    const request = { orgId, keyId, syncId: uuidV7(), requestId: 'r' };
    const first = await activities.syncNumbers(request);
    expect(first).toEqual({ outcome: 'synced', trunkId, added: 2, removed: 0 });
    const again = [activities.syncNumbers(request), activities.syncNumbers(request)];
    expect(await Promise.all(again)).toEqual([first, first]);
    expect(await notes()).toHaveLength(1);
  });

  it('of an organisation without a trunk is 404, and begins nothing', async () => {
    await api.delete(PATH);
    const { status, body } = await api.post(`${PATH}/sync`);
    expect([status, body.code]).toEqual([404, 'inbound_trunk_not_found']);
  });

  it('that no worker takes up in time is of unknown outcome; asked again later it is done', async () => {
    await env.stopWorker();
    try {
      const { status, body, headers } = await api.post(`${PATH}/sync`);
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'outcome_unknown', '2']);
      expect(await notes()).toEqual([]);
    } finally {
      await env.startWorker();
    }
    await waitFor('the worker', 20_000, async () =>
      (await api.post(`${PATH}/sync`)).status === 200 ? true : undefined,
    );
    expect((await api.get(PATH)).body.phone_numbers).toEqual(NUMBERS);
  }, 90_000);
});

describe('without a Temporal server', () => {
  it('numbers are not synced, with nothing done, and trunks are made, changed and deleted as ever', async () => {
    // Nothing listens on the discard port of the loopback.
    const dialling = await DiallingApi.start({ temporalAddress: '127.0.0.1:9' });
    const { api } = dialling;
    try {
      expect((await api.post(PATH, { phone_numbers: [] })).status).toBe(200);
      await api.post('/phone/numbers', { phone_number: NUMBERS[0], method: 'attest' });
      const { status, body, headers } = await api.post(`${PATH}/sync`);
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'temporal_unavailable', '2']);
      expect((await api.get(PATH)).body.phone_numbers).toEqual([]);
      expect((await api.post(`${PATH}/rotate-credentials`, { grace_seconds: 60 })).status).toBe(200);
      expect((await api.delete(PATH)).status).toBe(200);
      // All of it is left for the reconciler to tell.
      const left = await api.dataSource.query('SELECT removed FROM trunk_provisioning WHERE direction = $1', [
        'inbound',
      ]);
      expect(left).toEqual([{ removed: true }]);
    } finally {
      await dialling.stop();
    }
  }, 30_000);
});

describe('while Temporal says nothing', () => {
  it('a trunk is made nevertheless, and a sync is of unknown outcome', async () => {
    const [host = '', port = ''] = testServers().temporalAddress.split(':');
    const relay = await TcpRelay.start({ host, port: Number(port) });
    const dialling = await DiallingApi.start({ temporalAddress: `127.0.0.1:${relay.port}` });
    const { api } = dialling;
    const { connection } = dialling.temporal;
    try {
      await connection.withDeadline(Date.now() + 5000, () => connection.workflowService.getSystemInfo({}));
      relay.fallSilent();
      expect((await api.post(PATH, { phone_numbers: [] })).status).toBe(200);
      const hidden = await api.post(`${PATH}/sync`);
      expect([hidden.status, hidden.body.code]).toEqual([503, 'outcome_unknown']);
    } finally {
      await dialling.stop();
      await relay.close();
    }
  }, 60_000);
});
