/**
 * The API and the worker are killed while trunks are made, changed and deleted: what comes of it is a whole trunk or none,
 * and its workflow has confirmed the last version, or ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { SeededRandom } from '../../support/live/random';
import { TemporalView } from '../../support/live/temporal-view';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const PATH = '/phone/sip/inbound-trunk';
const ROUNDS = process.env['TEST_SOAK'] === '1' ? 40 : 2;
/** A request takes some 20 ms: the kill falls before, in and after its transaction. */
const KILLED_WITHIN_MS = 30;

const STEPS = [
  { method: 'POST', path: PATH, body: {} },
  { method: 'POST', path: `${PATH}/rotate-credentials`, body: { grace_seconds: 1 } },
  { method: 'DELETE', path: PATH, body: undefined },
] as const;

interface Row {
  readonly trunk: string | null;
  readonly sealed: boolean;
  readonly created: number;
  readonly deleted: number;
}

describe('a kill -9 in the middle of a provisioning', () => {
  const random = new SeededRandom(20_261_129);
  let stack: Stack;
  let database: Client;
  let temporal: TemporalView;
  let killed = 0;

  beforeAll(async () => {
    stack = await Stack.start();
    database = new Client({ connectionString: stack.databaseUrl });
    await database.connect();
    temporal = new TemporalView(stack.temporalAddress);
  }, 120_000);

  afterAll(async () => {
    await temporal?.close();
    await database?.end();
    await stack?.stop();
  }, 60_000);

  /** The answer's status; 0 when the connection broke. */
  async function request(step: (typeof STEPS)[number], key: string): Promise<number> {
    try {
      return (await stack.api(step.method, step.path, step.body, { 'Idempotency-Key': key })).status;
    } catch {
      return 0; // killed while it was asked
    }
  }

  async function underFire(work: Promise<number>): Promise<void> {
    await sleep(random.between(0, KILLED_WITHIN_MS));
    const victims = random.pick([['api'], ['worker'], ['api', 'worker']] as const);
    const pids = victims.map((name) => [name, stack.kill(name)] as const);
    await work;
    for (const [name, pid] of pids) await stack.waitForNewPid(name, pid, 30_000);
    killed += pids.length;
    await stack.waitReady();
  }

  async function look(): Promise<Row> {
    const { rows } = await database.query<Row>(`
      SELECT t.id AS trunk, coalesce(t.auth_password_sealed <> '' AND t.auth_username <> '', false) AS sealed,
        (SELECT count(*)::int FROM audit_log WHERE resource = 'inbound_trunk' AND action = 'create') AS created,
        (SELECT count(*)::int FROM audit_log WHERE resource = 'inbound_trunk' AND action = 'delete') AS deleted
      FROM (SELECT 1) AS one LEFT JOIN inbound_trunks t ON true`);
    return rows[0]!;
  }

  /** Nothing waits to be confirmed, no old password is kept, and each workflow runs as long as its trunk is there. */
  async function settled(): Promise<void> {
    await waitFor('the workflows of all trunks', 60_000, async () => {
      const { rows } = await database.query(`
        SELECT FROM trunk_provisioning WHERE confirmed_version < version OR removed
        UNION ALL SELECT FROM inbound_trunks WHERE previous_password_until < now()`);
      return rows.length === 0 ? true : undefined;
    });
    const { rows } = await database.query<{ id: string; there: boolean }>(`
      SELECT DISTINCT resource_id AS id, EXISTS (SELECT FROM inbound_trunks WHERE id::text = resource_id) AS there
      FROM audit_log WHERE resource = 'inbound_trunk' AND action = 'create'`);
    for (const { id, there } of rows) {
      const status = await waitFor(`the workflow of ${id}`, 30_000, async () => {
        const found = await temporal.trunkStatus(id);
        // Made and gone before anybody could begin it: nothing is left to do.
        return (there ? found === 'RUNNING' : found !== 'RUNNING') ? (found ?? 'none') : undefined;
      });
      expect(there ? ['RUNNING'] : ['COMPLETED', 'none']).toContain(status);
    }
  }

  it(
    `leaves a whole trunk or none, ${ROUNDS} times`,
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const [index, step] of STEPS.entries()) {
          const key = `round-${round}-${index}`;
          await underFire(request(step, key));
          const { trunk, sealed, created, deleted } = await look();
          expect([round, index, sealed, created - deleted]).toEqual([
            round,
            index,
            trunk !== null,
            trunk === null ? 0 : 1,
          ]);
          // Asked again with the same key, it is done exactly once; a DELETE takes no key, and finds nothing.
          const again = await request(step, key);
          expect([round, index, step.method === 'DELETE' && again === 404 ? 200 : again]).toEqual([round, index, 200]);
          expect((await look()).created).toBe(round + 1);
        }
        await settled();
      }
      process.stdout.write(`${killed} processes were killed in ${ROUNDS} rounds of provisioning\n`);
    },
    ROUNDS * 120_000,
  );
});
