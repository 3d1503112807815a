/**
 * Campaigns, their contacts, what was imported, and whom nobody calls.
 *
 * A campaign has up to a million contacts. They have no foreign keys: each would be asked once per row of an import, which
 * holds its campaign instead. Their numbers by state are kept by a trigger, in sixteen slots each, so that dials that end at
 * the same moment do not wait for one row; a sum over them is exact at any time.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES: readonly string[] = [
  `CREATE TABLE campaigns (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    agent_id uuid,
    status text NOT NULL,
    version integer NOT NULL DEFAULT 1,
    trunk_ids uuid[],
    caller_numbers text[] NOT NULL,
    local_presence boolean NOT NULL,
    dial_window jsonb NOT NULL,
    starts_at timestamptz(3),
    ends_at timestamptz(3),
    ring_timeout_seconds integer NOT NULL,
    max_concurrent_calls integer,
    calls_per_second double precision,
    retry jsonb NOT NULL,
    caps jsonb NOT NULL,
    machine_detection text NOT NULL,
    voicemail_message text,
    disclosure_line text,
    variables jsonb NOT NULL,
    require_consent boolean NOT NULL,
    auto_pause jsonb NOT NULL,
    goal_field text,
    variable_names text[] NOT NULL DEFAULT '{}',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    deleted_at timestamptz(3),
    CONSTRAINT campaigns_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX campaigns_org ON campaigns (org_id, created_at, id) WHERE deleted_at IS NULL`,
  `CREATE INDEX campaigns_deleted ON campaigns (deleted_at) WHERE deleted_at IS NOT NULL`,
  `CREATE INDEX campaigns_agent ON campaigns (agent_id) WHERE agent_id IS NOT NULL`,
  `ALTER TABLE campaigns ADD CONSTRAINT campaigns_agent_fk FOREIGN KEY (agent_id) REFERENCES agents(id) ON DELETE SET NULL`,

  `CREATE TABLE campaign_contacts (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    phone_number text NOT NULL,
    name text,
    time_zone text,
    consent_id text,
    priority smallint NOT NULL,
    variables jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    result text,
    due_at timestamptz(3),
    attempts smallint NOT NULL DEFAULT 0,
    last_disposition text,
    last_attempt_at timestamptz(3),
    last_decision jsonb,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT campaign_contacts_pk PRIMARY KEY (id)
  )`,
  `CREATE UNIQUE INDEX campaign_contacts_number ON campaign_contacts (campaign_id, phone_number)`,
  `CREATE INDEX campaign_contacts_due ON campaign_contacts (campaign_id, priority, due_at, id) WHERE due_at IS NOT NULL`,
  `CREATE INDEX campaign_contacts_state ON campaign_contacts (campaign_id, state, created_at, id)`,
  `CREATE INDEX campaign_contacts_result ON campaign_contacts (campaign_id, result, created_at, id) WHERE result IS NOT NULL`,
  // What several campaigns share is asked by the number.
  `CREATE INDEX campaign_contacts_calling ON campaign_contacts (org_id, phone_number) WHERE state = 'calling'`,

  `CREATE TABLE campaign_tallies (
    campaign_id uuid NOT NULL,
    slot smallint NOT NULL,
    state text NOT NULL,
    result text NOT NULL,
    org_id uuid NOT NULL,
    contacts bigint NOT NULL,
    attempts bigint NOT NULL,
    CONSTRAINT campaign_tallies_pk PRIMARY KEY (campaign_id, slot, state, result)
  )`,

  `CREATE TABLE campaign_imports (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    status text NOT NULL,
    accepted integer NOT NULL DEFAULT 0,
    duplicates integer NOT NULL DEFAULT 0,
    invalid integer NOT NULL DEFAULT 0,
    suppressed integer NOT NULL DEFAULT 0,
    problem text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT campaign_imports_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX campaign_imports_campaign ON campaign_imports (campaign_id, created_at, id)`,
  `CREATE TABLE campaign_import_parts (
    import_id uuid NOT NULL,
    part integer NOT NULL,
    org_id uuid NOT NULL,
    rows jsonb NOT NULL,
    CONSTRAINT campaign_import_parts_pk PRIMARY KEY (import_id, part)
  )`,

  `CREATE TABLE dnc_entries (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    phone_number text NOT NULL,
    reason text,
    source text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT dnc_entries_pk PRIMARY KEY (id)
  )`,
  `CREATE UNIQUE INDEX dnc_entries_number ON dnc_entries (org_id, phone_number)`,
  `CREATE INDEX dnc_entries_org ON dnc_entries (org_id, created_at, id)`,
  `CREATE TABLE global_dnc_entries (
    id uuid NOT NULL,
    phone_number text NOT NULL,
    reason text,
    source text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT global_dnc_entries_pk PRIMARY KEY (id)
  )`,
  `CREATE UNIQUE INDEX global_dnc_entries_number ON global_dnc_entries (phone_number)`,
  `CREATE INDEX global_dnc_entries_created ON global_dnc_entries (created_at, id)`,
];

/** What a statement has added to and taken from each number, all of them in one order. */
export const TALLY = `
  CREATE FUNCTION tally_campaign_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP = 'INSERT' THEN
      INSERT INTO campaign_tallies AS t (campaign_id, slot, state, result, org_id, contacts, attempts)
      SELECT campaign_id, pg_backend_pid() % 16, state, coalesce(result, ''), org_id, count(*), sum(attempts)
      FROM added GROUP BY campaign_id, org_id, state, coalesce(result, '') ORDER BY 1, 3, 4
      ON CONFLICT (campaign_id, slot, state, result)
      DO UPDATE SET contacts = t.contacts + excluded.contacts, attempts = t.attempts + excluded.attempts;
    ELSIF TG_OP = 'DELETE' THEN
      INSERT INTO campaign_tallies AS t (campaign_id, slot, state, result, org_id, contacts, attempts)
      SELECT campaign_id, pg_backend_pid() % 16, state, coalesce(result, ''), org_id, -count(*), -sum(attempts)
      FROM removed GROUP BY campaign_id, org_id, state, coalesce(result, '') ORDER BY 1, 3, 4
      ON CONFLICT (campaign_id, slot, state, result)
      DO UPDATE SET contacts = t.contacts + excluded.contacts, attempts = t.attempts + excluded.attempts;
    ELSE
      INSERT INTO campaign_tallies AS t (campaign_id, slot, state, result, org_id, contacts, attempts)
      SELECT campaign_id, pg_backend_pid() % 16, state, coalesce(result, ''), org_id, sum(n), sum(n * attempts)
      FROM (SELECT *, 1 AS n FROM added UNION ALL SELECT *, -1 AS n FROM removed) AS moved
      GROUP BY campaign_id, org_id, state, coalesce(result, '')
      HAVING sum(n) <> 0 OR sum(n * attempts) <> 0 ORDER BY 1, 3, 4
      ON CONFLICT (campaign_id, slot, state, result)
      DO UPDATE SET contacts = t.contacts + excluded.contacts, attempts = t.attempts + excluded.attempts;
    END IF;
    RETURN NULL;
  END $$`;

const TRIGGERS: readonly string[] = [
  `CREATE TRIGGER campaign_contacts_added AFTER INSERT ON campaign_contacts REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION tally_campaign_contacts()`,
  `CREATE TRIGGER campaign_contacts_removed AFTER DELETE ON campaign_contacts REFERENCING OLD TABLE AS removed
   FOR EACH STATEMENT EXECUTE FUNCTION tally_campaign_contacts()`,
  `CREATE TRIGGER campaign_contacts_moved AFTER UPDATE ON campaign_contacts
   REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_campaign_contacts()`,
];

export const PURGE = 'purge_campaigns(integer)';
const LEARN = 'learn_campaign_contacts()';

/** After an import PostgreSQL would know for a minute or more nothing of the table, and sort a million rows for each page. */
const LEARN_FUNCTION = `
  CREATE FUNCTION learn_campaign_contacts() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    ANALYZE campaign_contacts;
  END $$`;

/** Of deleted campaigns and gone organisations; answers 0 when nothing is left. Run as the owner, whoever calls. */
export const PURGE_FUNCTION = `
  CREATE OR REPLACE FUNCTION purge_campaigns(how_many integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
  DECLARE
    gone uuid;
    removed integer;
  BEGIN
    DELETE FROM dnc_entries WHERE ctid IN (
      SELECT d.ctid FROM dnc_entries d WHERE NOT EXISTS (SELECT FROM organisations o WHERE o.id = d.org_id) LIMIT how_many);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN RETURN removed; END IF;
    SELECT id INTO gone FROM campaigns WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF gone IS NULL THEN RETURN 0; END IF;
    DELETE FROM campaign_contacts WHERE ctid IN (SELECT ctid FROM campaign_contacts WHERE campaign_id = gone LIMIT how_many);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN RETURN removed; END IF;
    DELETE FROM campaign_import_parts WHERE import_id IN (SELECT id FROM campaign_imports WHERE campaign_id = gone);
    DELETE FROM campaign_imports WHERE campaign_id = gone;
    DELETE FROM campaign_tallies WHERE campaign_id = gone;
    DELETE FROM campaigns WHERE id = gone;
    RETURN 1;
  END $$`;

export class Campaigns1764601600000 implements MigrationInterface {
  readonly name = 'Campaigns1764601600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, TALLY, ...TRIGGERS, PURGE_FUNCTION, LEARN_FUNCTION])
      await runner.query(statement);
    const [{ schema }]: [{ schema: string }] = await runner.query('SELECT quote_ident(current_schema()) AS schema');
    for (const lent of [PURGE, LEARN]) {
      // Temporary tables last: nobody who may create some puts them in the place of ours.
      await runner.query(`ALTER FUNCTION ${lent} SET search_path = ${schema}, pg_temp`);
      await runner.query(`REVOKE ALL ON FUNCTION ${lent} FROM PUBLIC`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const lent of [PURGE, LEARN]) await runner.query(`DROP FUNCTION ${lent}`);
    await runner.query(`DROP TABLE global_dnc_entries, dnc_entries, campaign_import_parts, campaign_imports,
      campaign_tallies, campaign_contacts, campaigns`);
    await runner.query('DROP FUNCTION tally_campaign_contacts()');
  }
}
