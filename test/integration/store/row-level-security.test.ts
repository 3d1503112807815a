import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource, migrate } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { enterOrganisation, OrganisationScope } from '../../../store/organisation-scope';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ApiKeyRepository } from '../../../store/repositories/api-key-repository';
import { AuditRepository } from '../../../store/repositories/audit-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { API_ROLE, isBoundToOrganisation } from '../../../store/row-level-security';
import { SecretBox } from '../../../store/secrets';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';

/** One row of every kind, as the owner writes it. */
const ROWS: Readonly<Record<string, string>> = {
  agent_transfer_destinations: `INSERT INTO agent_transfer_destinations (agent_id, destination_id, org_id)
    SELECT coalesce((SELECT id FROM agents WHERE org_id = $1 LIMIT 1), gen_random_uuid()),
      coalesce((SELECT id FROM transfer_destinations WHERE org_id = $1 LIMIT 1), gen_random_uuid()), $1`,
  agents: `INSERT INTO agents (id, org_id, name) VALUES (gen_random_uuid(), $1, 'A')`,
  api_key_rates: `INSERT INTO api_key_rates (key_id, org_id, full_at) VALUES (gen_random_uuid(), $1, now())`,
  api_keys: `INSERT INTO api_keys (id, org_id, name, prefix, last4, hash, scopes)
    VALUES (gen_random_uuid(), $1, 'K', '', '', gen_random_uuid()::text, '{full}')`,
  audit_log: `INSERT INTO audit_log (id, org_id, action, resource) VALUES (gen_random_uuid(), $1, 'create', 'agent')`,
  calls: `INSERT INTO calls (id, org_id, session_id, direction, from_number, to_number, status, created_at)
    VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'inbound', '+1', '+2', 'queued', now())`,
  call_attempts: `INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id)
    VALUES (gen_random_uuid(), gen_random_uuid(), $1, 1, 'sent', 's', 'n', 'b')`,
  call_events: `INSERT INTO call_events (call_id, source, seq, org_id, at, type)
    VALUES (gen_random_uuid(), 'node', 1, $1, now(), 'ringing')`,
  capacity_leases: `INSERT INTO capacity_leases (lease_id, org_id, trunk_id, node_id, boot_id)
    VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'n', 'b')`,
  capacity_queue: `INSERT INTO capacity_queue (call_id, org_id, trunk_id, reason)
    VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'trunk_rate')`,
  campaigns: `INSERT INTO campaigns (id, org_id, name, status, caller_numbers, local_presence, dial_window,
      ring_timeout_seconds, retry, caps, machine_detection, variables, require_consent, auto_pause)
    VALUES (gen_random_uuid(), $1, 'C', 'draft', '{}', false, '{}', 45, '{}', '{}', 'off', '{}', true, '{}')`,
  // The trigger writes another tally.
  campaign_capacity: `INSERT INTO campaign_capacity (campaign_id, org_id)
    SELECT coalesce((SELECT id FROM campaigns WHERE org_id = $1 LIMIT 1), gen_random_uuid()), $1`,
  campaign_events: `INSERT INTO campaign_events (id, org_id, campaign_id, type) VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'started')`,
  contact_decisions: `INSERT INTO contact_decisions (id, org_id, campaign_id, contact_id, dialled, checks)
    VALUES (gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), true, '[]')`,
  campaign_contacts: `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, priority, variables)
    VALUES (gen_random_uuid(), $1, gen_random_uuid(), '+1', 0, '{}')`,
  campaign_call_tallies: `INSERT INTO campaign_call_tallies (campaign_id, slot, disposition, hour, attempt, org_id, calls, seconds)
    SELECT coalesce((SELECT id FROM campaigns WHERE org_id = $1 LIMIT 1), gen_random_uuid()), 0, 'busy', 9, 1, $1, 1, 0`,
  campaign_import_parts: `INSERT INTO campaign_import_parts (import_id, part, org_id, rows)
    VALUES (gen_random_uuid(), 0, $1, '[]')`,
  campaign_imports: `INSERT INTO campaign_imports (id, org_id, campaign_id, status)
    VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'running')`,
  campaign_tallies: `INSERT INTO campaign_tallies (campaign_id, slot, state, result, org_id, contacts, attempts)
    SELECT gen_random_uuid(), 0, 'pending', '', $1, 0, 0 WHERE NOT EXISTS (SELECT FROM campaign_tallies WHERE org_id = $1)`,
  dnc_entries: `INSERT INTO dnc_entries (id, org_id, phone_number, source) VALUES (gen_random_uuid(), $1, '+1', 'api')`,
  contacts: `INSERT INTO contacts (id, org_id) VALUES (gen_random_uuid(), $1)`,
  idempotency_keys: `INSERT INTO idempotency_keys (org_id, route, key, body_hash) VALUES ($1, 'POST /phone', 'k', 'h')`,
  inbound_trunk_networks: `INSERT INTO inbound_trunk_networks (trunk_id, org_id, network)
    SELECT coalesce((SELECT id FROM inbound_trunks WHERE org_id = $1), gen_random_uuid()), $1,
      ('2001:db8:' || regexp_replace(right(replace($1::text, '-', ''), 12), '(....)', '\\1:', 'g') || ':/80')::cidr`,
  inbound_trunks: `INSERT INTO inbound_trunks (id, org_id, auth_username, auth_password_sealed)
    VALUES (gen_random_uuid(), $1, gen_random_uuid()::text, 's')`,
  number_code_calls: `INSERT INTO number_code_calls (id, org_id, phone_number) VALUES (gen_random_uuid(), $1, '+1')`,
  organisation_capacity: `INSERT INTO organisation_capacity (org_id) VALUES ($1)`,
  organisations: `INSERT INTO organisations (id, name) VALUES ($1, 'O')`,
  outbound_trunks: `INSERT INTO outbound_trunks (id, org_id, name, host, username, password_sealed, caller_number)
    VALUES (gen_random_uuid(), $1, 'T', 'h', 'u', 's', '+1')`,
  phone_numbers: `INSERT INTO phone_numbers (id, org_id, phone_number, method) VALUES (gen_random_uuid(), $1, '+1', 'attest')`,
  sip_registrations: `INSERT INTO sip_registrations (id, org_id, trunk_id, contact, sip_call_id, cseq, transport,
      source_address, source_port, node_id, registered_at, refreshed_at, expires_at)
    VALUES (gen_random_uuid(), $1, coalesce((SELECT id FROM inbound_trunks WHERE org_id = $1 LIMIT 1), gen_random_uuid()),
      'sip:a@b', 'c', 1, 'udp', '192.0.2.1', 5060, 'n', now(), now(), now())`,
  transcript_turns: `INSERT INTO transcript_turns (call_id, index, org_id, speaker, text, start_ms, end_ms)
    VALUES (gen_random_uuid(), 0, $1, 'agent', 't', 0, 1)`,
  transfer_destinations: `INSERT INTO transfer_destinations (id, org_id, name, type, value)
    VALUES (gen_random_uuid(), $1, 'D', 'phone', '+1')`,
  trunk_capacity: `INSERT INTO trunk_capacity (trunk_id, org_id)
    SELECT coalesce((SELECT id FROM outbound_trunks WHERE org_id = $1 LIMIT 1), gen_random_uuid()), $1`,
  trunk_health: `INSERT INTO trunk_health (trunk_id, org_id)
    SELECT coalesce((SELECT id FROM outbound_trunks WHERE org_id = $1 LIMIT 1), gen_random_uuid()), $1`,
  trunk_provisioning: `INSERT INTO trunk_provisioning (trunk_id, org_id, direction, version, due_at)
    VALUES (gen_random_uuid(), $1, 'inbound', 1, now())`,
};

/** Those that point at rows of others come after them. */
const JOINS_OTHERS = [
  'agent_transfer_destinations',
  'campaign_call_tallies',
  'campaign_capacity',
  'inbound_trunk_networks',
];

describe('row-level security', () => {
  let database: TestDatabase;
  let owner: DataSource;
  let api: DataSource;
  let tables: string[];
  const [mine, theirs] = [uuidV7(), uuidV7()];

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = await createDataSource({ url: database.databaseUrl }).initialize();
    api = await createDataSource({ url: database.apiUrl, poolSize: 1 }).initialize();
    const found: { name: string }[] = await owner.query(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND (column_name = 'org_id' OR table_name = 'organisations' AND column_name = 'id')
       ORDER BY 1`,
    );
    tables = found.map(({ name }) => name);
    for (const org of [mine, theirs]) {
      const others = tables.filter((name) => name !== 'organisations' && !JOINS_OTHERS.includes(name));
      for (const table of ['organisations', ...others, ...JOINS_OTHERS]) await owner.query(ROWS[table]!, [org]);
    }
  });
  afterAll(async () => {
    await Promise.all([owner.destroy(), api.destroy()]);
    await database.drop();
  });

  it('is forced on every table of organisations, and this test has a row of each', async () => {
    const forced: { name: string }[] = await owner.query(
      'SELECT relname AS name FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY 1',
    );
    expect(forced.map(({ name }) => name)).toEqual(tables);
    expect(Object.keys(ROWS).sort()).toEqual(tables);
  });

  it('binds the API, whose role has no way around it', async () => {
    const rows = await owner.query('SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = $1', [
      API_ROLE,
    ]);
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, rolcreaterole: false }]);
    expect(await isBoundToOrganisation(api)).toBe(true);
    expect(await isBoundToOrganisation(owner)).toBe(false);
    const system = await createDataSource({ url: database.systemUrl, poolSize: 1 }).initialize();
    expect(await isBoundToOrganisation(system)).toBe(false);
    await system.destroy();
  });

  it('shows a query that names no organisation nothing, and one that forgets its condition its own rows', async () => {
    for (const table of tables) {
      const all = `SELECT count(*)::int AS n FROM ${table}`;
      expect([table, await api.query(all)]).toEqual([table, [{ n: 0 }]]);
      const scoped = new OrganisationScope(api, mine).read(({ manager }) => manager.query(all));
      expect([table, await scoped]).toEqual([table, [{ n: 1 }]]);
      // The same connection afterwards.
      expect([table, await api.query(all)]).toEqual([table, [{ n: 0 }]]);
    }
  });

  it("lets nobody change, delete or write another organisation's rows", async () => {
    for (const table of tables) {
      const column = table === 'organisations' ? 'id' : 'org_id';
      const scope = new OrganisationScope(api, mine);
      const deleted = scope.write(({ manager }) =>
        manager.query(`DELETE FROM ${table} WHERE ${column} = $1`, [theirs]),
      );
      expect([table, await deleted]).toEqual([table, [[], 0]]);
      const own = table === 'organisations' ? uuidV7() : theirs;
      const written = scope.write(({ manager }) => manager.query(ROWS[table]!, [own]));
      await expect(written).rejects.toMatchObject({ driverError: { code: '42501' } });
    }
    const moved = new OrganisationScope(api, mine).write(({ manager }) =>
      manager.query('UPDATE agents SET org_id = $1', [theirs]),
    );
    await expect(moved).rejects.toMatchObject({ driverError: { code: '42501' } });
  });

  it('shows workers and media nodes everything', async () => {
    const system = new Client({ connectionString: database.systemUrl });
    await system.connect();
    for (const table of tables) {
      const { rows } = await system.query(`SELECT count(*)::int AS n FROM ${table}`);
      expect([table, rows]).toEqual([table, [{ n: 2 }]]);
    }
    await system.end();
  });

  it('leaves a key to be found, and organisations to be counted and listed', async () => {
    const secrets = new SecretBox(Buffer.alloc(32, 1).toString('base64'));
    const { key } = await new OrganisationScope(api, mine).write((session) =>
      new ApiKeyRepository(session, secrets).create({ orgId: mine, name: 'k', scopes: ['full'] }),
    );
    expect(await new ApiKeyRepository(api, secrets).admit(key, 100)).toMatchObject({ orgId: mine, suspended: false });
    const organisations = new OrganisationRepository(api);
    expect(await organisations.count()).toBe(2);
    expect((await organisations.list()).items.map(({ id }) => id)).toEqual([theirs, mine]);
  });

  it('does not stand in the way of changes of the configuration', async () => {
    const change = <T>(work: (agents: AgentRepository, config: ConfigRepository) => Promise<T>): Promise<T> =>
      new OrganisationScope(api, mine).write((session) =>
        work(new AgentRepository(session), new ConfigRepository(session)),
      );
    const { id } = await change((agents, config) =>
      config.transaction((tx) => agents.create(tx, mine, { name: 'New' })),
    );
    await change((agents, config) => config.transaction((tx) => agents.delete(tx, mine, id)));
    expect(await new ConfigRepository(owner).currentVersion()).toBe(2);
  });

  it('follows a transaction that enters another organisation, and is undone with it', async () => {
    const scope = new OrganisationScope(api, mine);
    const note = { orgId: theirs, keyId: null, requestId: null, action: 'x', resource: 'y', resourceId: null };
    const entered = scope.write(async (session) => {
      await session.manager.query(`UPDATE organisations SET name = 'lost'`);
      await enterOrganisation(session, theirs);
      await new AuditRepository(session).add(note);
      throw new Error('undone');
    });
    await expect(entered).rejects.toThrow('undone');
    expect(await owner.query(`SELECT name FROM organisations WHERE name = 'lost'`)).toEqual([]);
    expect(await owner.query(`SELECT action FROM audit_log WHERE action = 'x'`)).toEqual([]);
  });

  it('a read cannot write', async () => {
    const write = new OrganisationScope(api, mine).read(({ manager }) => manager.query(`UPDATE agents SET name = 'x'`));
    await expect(write).rejects.toMatchObject({ driverError: { code: '25006' } });
  });

  it('binds the API also where an ordinary role owns the database, and the owner sees all of it', async () => {
    const name = `owner_${randomBytes(6).toString('hex')}`;
    await owner.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
    await owner.query(`CREATE DATABASE ${name} OWNER ${name}`);
    const as = (role: string): DataSource => {
      const url = new URL(database.databaseUrl);
      Object.assign(url, { username: role, password: role, pathname: `/${name}` });
      return createDataSource({ url: url.toString(), poolSize: 1 });
    };
    const [ordinary, bound] = [as(name), as(API_ROLE)];
    try {
      await migrate(ordinary);
      await Promise.all([ordinary.initialize(), bound.initialize()]);
      for (const org of [mine, theirs]) {
        for (const table of ['organisations', 'api_keys']) await ordinary.query(ROWS[table]!, [org]);
      }
      expect(await isBoundToOrganisation(ordinary)).toBe(false);
      expect(await isBoundToOrganisation(bound)).toBe(true);
      expect(await bound.query('SELECT FROM api_keys')).toEqual([]);
      expect(await new OrganisationRepository(bound).count()).toBe(2);
      const [{ hash }] = await ordinary.query('SELECT hash FROM api_keys WHERE org_id = $1', [mine]);
      expect(await bound.query('SELECT org_id FROM admit_api_key($1, 100)', [hash])).toEqual([{ org_id: mine }]);
      await new OrganisationScope(bound, mine).write(({ manager }) => manager.query(ROWS['agents']!, [mine]));
    } finally {
      for (const source of [ordinary, bound]) if (source.isInitialized) await source.destroy();
      await owner.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await owner.query(`DROP ROLE ${name}`);
    }
  });

  it('is the same after another start', async () => {
    const state = `SELECT relname, relacl::text, (SELECT count(*)::int FROM pg_policy WHERE polrelid = c.oid) AS policies
      FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`;
    const before = await owner.query(state);
    expect(await migrate(owner)).toEqual([]);
    expect(await owner.query(state)).toEqual(before);
  });
});
