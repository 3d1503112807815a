/**
 * Calls of campaigns in the ledger of capacity: slots and turns of the campaign itself, and a queue that is fair between
 * campaigns and the organisation's own calls. A campaign's call is admitted only as long as its campaign runs as it did when
 * the contact was claimed, and the contact is that call's.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CAPACITY_FUNCTIONS } from './1764601500000-capacity-ledger';
import { PURGE, PURGE_FUNCTION } from './1764601600000-campaigns';

const UP: readonly string[] = [
  `ALTER TABLE trunk_capacity ADD COLUMN asked_at timestamptz NOT NULL DEFAULT '-infinity',
     ADD COLUMN resumed_at timestamptz NOT NULL DEFAULT '-infinity'`,
  'ALTER TABLE capacity_leases ADD COLUMN campaign_id uuid',
  'CREATE INDEX capacity_leases_campaign ON capacity_leases (campaign_id) WHERE campaign_id IS NOT NULL',
  'ALTER TABLE capacity_queue ADD COLUMN campaign_id uuid',
  'CREATE INDEX capacity_queue_campaign ON capacity_queue (campaign_id, queued_at) WHERE campaign_id IS NOT NULL',
  `ALTER TABLE campaign_contacts ADD COLUMN call_id uuid, ADD COLUMN trunk_id uuid, ADD COLUMN claimed_at timestamptz(3)`,
  // How often a number was called is asked for each contact that is due: by campaigns alone, however many other calls it had.
  `CREATE INDEX calls_campaign_number ON calls (org_id, to_number, created_at) WHERE campaign_id IS NOT NULL`,
];

const DOWN: readonly string[] = [
  'DROP INDEX calls_campaign_number',
  'ALTER TABLE campaign_contacts DROP COLUMN claimed_at, DROP COLUMN trunk_id, DROP COLUMN call_id',
  'DROP INDEX capacity_queue_campaign',
  'ALTER TABLE capacity_queue DROP COLUMN campaign_id',
  'DROP INDEX capacity_leases_campaign',
  'ALTER TABLE capacity_leases DROP COLUMN campaign_id',
  'ALTER TABLE trunk_capacity DROP COLUMN resumed_at, DROP COLUMN asked_at',
];

/**
 * Who waits and has been called twice in vain, or has let its time go by, stands in nobody's way: unless for a while nobody
 * could ask, so that all have let their time go by and whoever comes first would be the first.
 */
const PRESENT = `called < 2 AND (retry_at IS NULL OR retry_at > at_time - interval '10 seconds' OR resumed > at_time - interval '10 seconds')`;
/** Whoever was called comes within this, or is called again. */
const CALLED_FOR = `interval '5 seconds'`;
/** So far ahead a campaign whose own rate is the slowest keeps a turn of its trunk, which others then cannot have. */
const CAMPAIGN_AHEAD = `interval '200 milliseconds'`;

/** As in the first version of the ledger; rows are locked in the order trunk, organisation, campaign. */
export const CAMPAIGN_CAPACITY_FUNCTIONS: readonly (readonly [signature: string, body: string])[] = [
  [
    'lock_capacity(of_trunk uuid, of_org uuid, of_campaign uuid)',
    `RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM FROM trunk_capacity WHERE trunk_id = of_trunk FOR NO KEY UPDATE;
      IF NOT FOUND THEN
        INSERT INTO trunk_capacity (trunk_id, org_id) SELECT id, org_id FROM outbound_trunks
          WHERE id = of_trunk AND (max_concurrent_calls IS NOT NULL OR max_calls_per_second IS NOT NULL)
          ON CONFLICT DO NOTHING;
        PERFORM FROM trunk_capacity WHERE trunk_id = of_trunk FOR NO KEY UPDATE;
      END IF;
      IF EXISTS (SELECT FROM organisations WHERE id = of_org
          AND (limits->>'concurrentCalls' IS NOT NULL OR limits->>'callsPerSecond' IS NOT NULL)) THEN
        INSERT INTO organisation_capacity (org_id) VALUES (of_org) ON CONFLICT DO NOTHING;
        PERFORM FROM organisation_capacity WHERE org_id = of_org FOR NO KEY UPDATE;
      END IF;
      IF of_campaign IS NOT NULL THEN
        PERFORM FROM campaign_capacity WHERE campaign_id = of_campaign FOR NO KEY UPDATE;
        IF NOT FOUND THEN
          INSERT INTO campaign_capacity (campaign_id, org_id) SELECT id, org_id FROM campaigns
            WHERE id = of_campaign AND (max_concurrent_calls IS NOT NULL OR calls_per_second IS NOT NULL OR pace < 1)
            ON CONFLICT DO NOTHING;
          PERFORM FROM campaign_capacity WHERE campaign_id = of_campaign FOR NO KEY UPDATE;
        END IF;
      END IF;
    END $$`,
  ],
  [
    // A campaign that a guard has slowed takes its share of what it would have had.
    `decide_capacity(at_time timestamptz, lease uuid, of_call uuid, of_org uuid, of_trunk uuid, on_node text, on_boot text,
      ahead_ms integer, of_campaign uuid DEFAULT NULL)`,
    `RETURNS TABLE (reason text, wait_ms integer, retry_in_ms integer) LANGUAGE plpgsql AS $$
    DECLARE
      trunk_calls integer; trunk_rate double precision; trunk_next timestamptz; cool timestamptz;
      org_calls integer; org_rate double precision; org_next timestamptz;
      campaign_calls integer; campaign_rate double precision; campaign_next timestamptz;
      place timestamptz; fair timestamptz; queued boolean := false; asked timestamptz; resumed timestamptz;
      ahead bigint := 0; org_ahead bigint := 0; campaign_ahead bigint := 0;
      turn timestamptz; expected timestamptz; why text;
    BEGIN
      SELECT max_concurrent_calls, max_calls_per_second INTO trunk_calls, trunk_rate
        FROM outbound_trunks WHERE id = of_trunk;
      SELECT (limits->>'concurrentCalls')::integer, (limits->>'callsPerSecond')::double precision
        INTO org_calls, org_rate FROM organisations WHERE id = of_org;
      SELECT next_at, cool_until, resumed_at, asked_at INTO trunk_next, cool, resumed, asked
        FROM trunk_capacity WHERE trunk_id = of_trunk;
      resumed := coalesce(resumed, '-infinity');
      IF asked < at_time - (5 + coalesce(1 / trunk_rate, 0)) * interval '1 second' THEN resumed := at_time; END IF;
      SELECT next_at INTO org_next FROM organisation_capacity WHERE org_id = of_org;
      IF of_campaign IS NOT NULL THEN
        SELECT c.max_concurrent_calls, coalesce(c.calls_per_second * c.pace, CASE WHEN c.pace < 1 THEN trunk_rate * c.pace END),
            k.next_at
          INTO campaign_calls, campaign_rate, campaign_next
          FROM campaigns c LEFT JOIN campaign_capacity k ON k.campaign_id = c.id WHERE c.id = of_campaign;
      END IF;
      -- A leg of a call that is up waits in no queue: somebody is listening.
      IF of_call IS NOT NULL THEN
        SELECT queued_at INTO place FROM capacity_queue q WHERE q.call_id = of_call;
        queued := place IS NOT NULL;
        SELECT count(*) INTO ahead FROM capacity_queue q
          WHERE q.trunk_id = of_trunk AND q.reason LIKE 'trunk%' AND ${PRESENT} AND (place IS NULL OR (q.queued_at, q.call_id) < (place, of_call));
        IF NOT queued AND ahead > 0 THEN
          -- Start-time fair queueing: behind the one whose turn is next, and a turn behind the last of its own campaign, or
          -- of the calls that no campaign makes. So flows take turns, however many wait in each.
          SELECT greatest(
              coalesce(min(q.queued_at) FILTER (WHERE q.reason LIKE 'trunk%' AND ${PRESENT}) + interval '1 microsecond', at_time),
              max(q.queued_at) FILTER (WHERE q.campaign_id IS NOT DISTINCT FROM of_campaign)
                + interval '1 second' / coalesce(trunk_rate, 1))
            INTO fair FROM capacity_queue q WHERE q.trunk_id = of_trunk;
          SELECT count(*) INTO ahead FROM capacity_queue q
            WHERE q.trunk_id = of_trunk AND q.reason LIKE 'trunk%' AND ${PRESENT} AND (q.queued_at, q.call_id) < (fair, of_call);
        END IF;
        SELECT count(*) INTO org_ahead FROM capacity_queue q
          WHERE q.org_id = of_org AND q.reason LIKE 'organisation%' AND ${PRESENT} AND (place IS NULL OR (q.queued_at, q.call_id) < (place, of_call));
        IF of_campaign IS NOT NULL THEN
          SELECT count(*) INTO campaign_ahead FROM capacity_queue q
            WHERE q.campaign_id = of_campaign AND q.reason LIKE 'campaign%' AND ${PRESENT} AND (place IS NULL OR (q.queued_at, q.call_id) < (place, of_call));
        END IF;
      END IF;
      IF trunk_calls IS NOT NULL
          AND ahead + (SELECT count(*) FROM capacity_leases l WHERE l.trunk_id = of_trunk) >= trunk_calls THEN
        why := 'trunk_concurrency';
      ELSIF org_calls IS NOT NULL
          AND org_ahead + (SELECT count(*) FROM capacity_leases l WHERE l.org_id = of_org) >= org_calls THEN
        why := 'organisation_concurrency';
      ELSIF campaign_calls IS NOT NULL
          AND campaign_ahead + (SELECT count(*) FROM capacity_leases l WHERE l.campaign_id = of_campaign) >= campaign_calls THEN
        why := 'campaign_concurrency';
      END IF;
      turn := greatest(at_time, cool, CASE WHEN trunk_rate IS NOT NULL THEN trunk_next END,
        CASE WHEN org_rate IS NOT NULL THEN org_next END);
      IF why IS NULL AND campaign_rate IS NOT NULL
          AND (campaign_ahead > 0 AND NOT queued OR coalesce(campaign_next, '-infinity')
            + campaign_ahead / campaign_rate * interval '1 second' > turn + ${CAMPAIGN_AHEAD}) THEN
        why := 'campaign_rate';
        expected := greatest(turn, campaign_next) + campaign_ahead / campaign_rate * interval '1 second';
        retry_in_ms := greatest(300, ceil(extract(epoch FROM expected - at_time) * 1000) - 100)::integer;
      END IF;
      IF campaign_rate IS NOT NULL THEN turn := greatest(turn, campaign_next); END IF;
      IF why IS NULL THEN
        expected := turn + greatest(coalesce(ahead / trunk_rate, 0), coalesce(org_ahead / org_rate, 0)) * interval '1 second';
        -- Who is ahead and late is waited for; on a fast trunk neighbours may change places, so that it stays full.
        IF turn > at_time + ahead_ms * interval '1 millisecond'
            OR (ahead > 0 AND ahead > trunk_rate * 0.1) OR (org_ahead > 0 AND org_ahead > org_rate * 0.1)
            OR (NOT queued AND (ahead > 0 AND trunk_rate IS NOT NULL OR org_ahead > 0 AND org_rate IS NOT NULL)) THEN
          why := CASE WHEN turn = cool THEN 'trunk_cool_down'
            WHEN org_rate IS NULL OR turn = trunk_next OR ahead > 0 THEN 'trunk_rate' ELSE 'organisation_rate' END;
        END IF;
        -- Half a second before its turn: the rest it waits on its node.
        retry_in_ms := CASE WHEN why IS NOT NULL
          THEN greatest(1000, ceil(extract(epoch FROM expected - at_time) * 1000) - 500)::integer END;
      END IF;
      IF why IS NOT NULL THEN
        IF of_call IS NOT NULL THEN
          INSERT INTO capacity_queue AS q (call_id, org_id, trunk_id, campaign_id, queued_at, reason, retry_at)
            VALUES (of_call, of_org, of_trunk, of_campaign, coalesce(fair, at_time), why,
              at_time + retry_in_ms * interval '1 millisecond')
            ON CONFLICT (call_id) DO UPDATE
            SET reason = excluded.reason, retry_at = excluded.retry_at, called = 0, called_at = NULL;
        END IF;
        UPDATE trunk_capacity SET asked_at = at_time, resumed_at = resumed
          WHERE trunk_id = of_trunk AND trunk_rate IS NOT NULL;
        RETURN QUERY SELECT why, 0, retry_in_ms;
        RETURN;
      END IF;
      UPDATE trunk_capacity SET next_at = turn + interval '1 second' / trunk_rate, asked_at = at_time, resumed_at = resumed
        WHERE trunk_id = of_trunk AND trunk_rate IS NOT NULL;
      UPDATE organisation_capacity SET next_at = turn + interval '1 second' / org_rate
        WHERE org_id = of_org AND org_rate IS NOT NULL;
      IF campaign_rate IS NOT NULL THEN
        UPDATE campaign_capacity SET next_at = turn + interval '1 second' / campaign_rate WHERE campaign_id = of_campaign;
      END IF;
      IF lease IS NOT NULL THEN
        INSERT INTO capacity_leases (lease_id, org_id, trunk_id, campaign_id, node_id, boot_id)
          VALUES (lease, of_org, of_trunk, of_campaign, on_node, on_boot) ON CONFLICT DO NOTHING;
      END IF;
      IF queued THEN DELETE FROM capacity_queue q WHERE q.call_id = of_call; END IF;
      RETURN QUERY SELECT NULL::text, ceil(extract(epoch FROM turn - at_time) * 1000)::integer, NULL::integer;
    END $$`,
  ],
  [
    `take_capacity(lease uuid, of_call uuid, of_org uuid, of_trunk uuid, on_node text, on_boot text, ahead_ms integer)`,
    `RETURNS TABLE (reason text, wait_ms integer, retry_in_ms integer) LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM lock_capacity(of_trunk, of_org, NULL);
      RETURN QUERY SELECT * FROM
        decide_capacity(clock_timestamp(), lease, of_call, of_org, of_trunk, on_node, on_boot, ahead_ms);
    END $$`,
  ],
  [
    // What has become of the campaign, or of the contact, since it was claimed; null: it may be called.
    `refuse_campaign_call(of_campaign uuid, of_version integer, of_contact uuid, of_call uuid, at_time timestamptz)`,
    `RETURNS text LANGUAGE plpgsql AS $$
    DECLARE campaign campaigns%ROWTYPE; contact campaign_contacts%ROWTYPE;
    BEGIN
      SELECT * INTO campaign FROM campaigns WHERE id = of_campaign AND deleted_at IS NULL;
      IF campaign.status IS DISTINCT FROM 'running' THEN RETURN 'campaign_not_running'; END IF;
      IF campaign.version <> of_version THEN RETURN 'campaign_changed'; END IF;
      IF campaign.ends_at <= at_time THEN RETURN 'campaign_ended'; END IF;
      SELECT * INTO contact FROM campaign_contacts WHERE id = of_contact;
      IF contact.state IS DISTINCT FROM 'calling' OR contact.call_id IS DISTINCT FROM of_call THEN RETURN 'contact_moved'; END IF;
      IF EXISTS (SELECT FROM dnc_entries d WHERE d.org_id = contact.org_id AND d.phone_number = contact.phone_number)
          OR EXISTS (SELECT FROM global_dnc_entries g WHERE g.phone_number = contact.phone_number) THEN
        RETURN 'suppressed';
      END IF;
      RETURN NULL;
    END $$`,
  ],
  [
    // Behind the locks: what was committed while it waited for them counts.
    `take_campaign_capacity(lease uuid, of_call uuid, of_org uuid, of_trunk uuid, on_node text, on_boot text, ahead_ms integer,
      of_campaign uuid, of_contact uuid, of_version integer, at_time timestamptz)`,
    `RETURNS TABLE (reason text, wait_ms integer, retry_in_ms integer, refusal text) LANGUAGE plpgsql AS $$
    DECLARE now_at timestamptz; refused text;
    BEGIN
      PERFORM lock_capacity(of_trunk, of_org, of_campaign);
      now_at := coalesce(at_time, clock_timestamp());
      refused := refuse_campaign_call(of_campaign, of_version, of_contact, of_call, now_at);
      IF refused IS NOT NULL THEN
        DELETE FROM capacity_queue q WHERE q.call_id = of_call;
        RETURN QUERY SELECT NULL::text, 0, NULL::integer, refused;
        RETURN;
      END IF;
      RETURN QUERY SELECT d.reason, d.wait_ms, d.retry_in_ms, NULL::text FROM
        decide_capacity(now_at, lease, of_call, of_org, of_trunk, on_node, on_boot, ahead_ms, of_campaign) d;
    END $$`,
  ],
  [
    // Of those that wait for a slot as many as have one now, in their order; who was called a moment ago is on the way.
    'call_waiting(of_trunk uuid, of_org uuid, of_campaign uuid DEFAULT NULL)',
    `RETURNS SETOF uuid LANGUAGE plpgsql AS $$
    DECLARE at_time timestamptz := clock_timestamp(); resumed timestamptz; trunk_free bigint; org_free bigint; campaign_free bigint;
    BEGIN
      SELECT max_concurrent_calls - (SELECT count(*) FROM capacity_leases WHERE trunk_id = of_trunk)
        INTO trunk_free FROM outbound_trunks WHERE id = of_trunk;
      SELECT resumed_at INTO resumed FROM trunk_capacity WHERE trunk_id = of_trunk;
      resumed := coalesce(resumed, '-infinity');
      SELECT (limits->>'concurrentCalls')::integer - (SELECT count(*) FROM capacity_leases WHERE org_id = of_org)
        INTO org_free FROM organisations WHERE id = of_org;
      IF of_campaign IS NOT NULL THEN
        SELECT max_concurrent_calls - (SELECT count(*) FROM capacity_leases WHERE campaign_id = of_campaign)
          INTO campaign_free FROM campaigns WHERE id = of_campaign;
      END IF;
      RETURN QUERY
        WITH first AS (
          (SELECT call_id FROM capacity_queue
           WHERE trunk_id = of_trunk AND reason LIKE 'trunk%' AND ${PRESENT} ORDER BY queued_at, call_id LIMIT greatest(trunk_free, 0))
          UNION
          (SELECT call_id FROM capacity_queue
           WHERE org_id = of_org AND reason LIKE 'organisation%' AND ${PRESENT} ORDER BY queued_at, call_id LIMIT greatest(org_free, 0))
          UNION
          (SELECT call_id FROM capacity_queue
           WHERE campaign_id = of_campaign AND reason LIKE 'campaign%' AND ${PRESENT} ORDER BY queued_at, call_id LIMIT greatest(campaign_free, 0))
          UNION
          (SELECT call_id FROM capacity_queue WHERE trunk_id = of_trunk AND NOT (${PRESENT})))
        UPDATE capacity_queue q SET called = called + 1, called_at = at_time FROM first
        WHERE q.call_id = first.call_id AND (q.retry_at IS NULL OR NOT (${PRESENT}))
          AND (q.called_at IS NULL OR q.called_at < at_time - ${CALLED_FOR})
        RETURNING q.call_id;
    END $$`,
  ],
  [
    'release_capacity(lease uuid)',
    `RETURNS SETOF uuid LANGUAGE plpgsql AS $$
    DECLARE slot capacity_leases%ROWTYPE;
    BEGIN
      SELECT * INTO slot FROM capacity_leases WHERE lease_id = lease;
      IF NOT FOUND THEN RETURN; END IF;
      PERFORM lock_capacity(slot.trunk_id, slot.org_id, slot.campaign_id);
      DELETE FROM capacity_leases WHERE lease_id = lease;
      RETURN QUERY SELECT * FROM call_waiting(slot.trunk_id, slot.org_id, slot.campaign_id);
    END $$`,
  ],
];

/** Also what its calls have left: as many rows at a time as of its contacts. */
const PURGE_WITH_CALLS = PURGE_FUNCTION.replace(
  '    DELETE FROM campaign_import_parts',
  `    DELETE FROM contact_decisions WHERE ctid IN (SELECT ctid FROM contact_decisions WHERE campaign_id = gone LIMIT how_many);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN RETURN removed; END IF;
    DELETE FROM campaign_events WHERE campaign_id = gone;
    DELETE FROM campaign_import_parts`,
);

export class CampaignCalls1764601710000 implements MigrationInterface {
  readonly name = 'CampaignCalls1764601710000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await replace(runner, CAPACITY_FUNCTIONS, CAMPAIGN_CAPACITY_FUNCTIONS);
    await replacePurge(runner, PURGE_WITH_CALLS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await replacePurge(runner, PURGE_FUNCTION);
    await replace(runner, CAMPAIGN_CAPACITY_FUNCTIONS, CAPACITY_FUNCTIONS);
    for (const statement of DOWN) await runner.query(statement);
  }
}

async function replace(
  runner: QueryRunner,
  old: typeof CAPACITY_FUNCTIONS,
  by: typeof CAPACITY_FUNCTIONS,
): Promise<void> {
  for (const [signature] of old) await runner.query(`DROP FUNCTION ${signature.slice(0, signature.indexOf('('))}`);
  for (const [signature, body] of by) await runner.query(`CREATE FUNCTION ${signature} ${body}`);
}

/** Replaced it keeps its rights, and not where it looks for tables. */
async function replacePurge(runner: QueryRunner, body: string): Promise<void> {
  await runner.query(body);
  const [{ schema }]: [{ schema: string }] = await runner.query('SELECT quote_ident(current_schema()) AS schema');
  await runner.query(`ALTER FUNCTION ${PURGE} SET search_path = ${schema}, pg_temp`);
}
