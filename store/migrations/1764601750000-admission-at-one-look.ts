/**
 * Who may send an INVITE is decided by one function, which locks, looks and takes: half as many statements as by the functions
 * that it stands for. And a call keeps its place in the queue over an attempt that was admitted and never sent.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CAMPAIGN_CAPACITY_FUNCTIONS } from './1764601710000-campaign-calls';
import { withContactLocked } from './1764601740000-admitted-contacts';

/** As of the former version of the ledger: who waits and has not been called in vain, or could not ask. */
const PRESENT = `called < 2 AND (retry_at IS NULL OR retry_at > at_time - interval '10 seconds' OR resumed > at_time - interval '10 seconds')`;
/** So far ahead a campaign whose own rate is the slowest keeps a turn of its trunk, which others then cannot have. */
const CAMPAIGN_AHEAD = `interval '200 milliseconds'`;

/**
 * Of those that wait for a turn these are let go first. Whom else a campaign calls is no matter to it: its calls do not wait for
 * each other's timers while the trunk has a turn for them.
 */
const OTHERS = 'count(*) FILTER (WHERE of_campaign IS NULL OR q.campaign_id IS DISTINCT FROM of_campaign)';

type SqlFunction = readonly [signature: string, body: string];

/** Of what has become of the campaign, or of the contact, since it was claimed. Null: it may be called. */
export const REFUSE: SqlFunction = [
  `refuse_campaign_call(of_campaign uuid, of_version integer, of_contact uuid, of_call uuid, at_time timestamptz)`,
  `RETURNS text LANGUAGE plpgsql AS $$
  DECLARE refused text;
  BEGIN
    SELECT CASE
      WHEN k.status IS DISTINCT FROM 'running' THEN 'campaign_not_running'
      WHEN k.version <> of_version THEN 'campaign_changed'
      WHEN k.ends_at <= at_time THEN 'campaign_ended'
      WHEN c.state IS DISTINCT FROM 'calling' OR c.call_id IS DISTINCT FROM of_call THEN 'contact_moved'
      WHEN EXISTS (SELECT FROM dnc_entries d WHERE d.org_id = c.org_id AND d.phone_number = c.phone_number)
        OR EXISTS (SELECT FROM global_dnc_entries g WHERE g.phone_number = c.phone_number) THEN 'suppressed' END
    INTO refused
    FROM (SELECT) AS one LEFT JOIN campaigns k ON k.id = of_campaign AND k.deleted_at IS NULL
      LEFT JOIN campaign_contacts c ON c.id = of_contact;
    RETURN refused;
  END $$`,
];

/**
 * Whoever takes or gives back a slot holds the rows of the trunk, its organisation and its campaign, in this order: so of a
 * slot that comes free and a call that finds none one sees the other. Of trunks, organisations and campaigns without a limit
 * there are none. Behind the locks each statement sees what was committed meanwhile.
 *
 * Turns by the generic cell rate algorithm: next_at is when the next one is. What is past is a trunk at rest, and never a
 * burst. A campaign that a guard has slowed takes its share of what it would have had: of its own rate, or that of all its trunks. `place`: since when an admitted call
 * has waited; its next attempt, should this one not leave, asks from there.
 */
const DECIDE: SqlFunction = [
  `decide_capacity(at_time timestamptz, lease uuid, of_call uuid, of_org uuid, of_trunk uuid, on_node text, on_boot text,
    ahead_ms integer, of_campaign uuid DEFAULT NULL, of_contact uuid DEFAULT NULL, of_version integer DEFAULT NULL)`,
  `RETURNS TABLE (reason text, wait_ms integer, retry_in_ms integer, refusal text, place timestamptz) LANGUAGE plpgsql AS $$
  DECLARE
    trunk_calls integer; trunk_rate double precision; trunk_next timestamptz; cool timestamptz;
    org_calls integer; org_rate double precision; org_next timestamptz;
    campaign_calls integer; campaign_rate double precision; campaign_next timestamptz;
    since timestamptz; fair timestamptz; queued boolean := false; asked timestamptz; resumed timestamptz;
    ahead bigint := 0; others bigint := 0; org_ahead bigint := 0; campaign_ahead bigint := 0;
    turn timestamptz; expected timestamptz; why text; refused text;
  BEGIN
    FOR try IN 1..2 LOOP
      SELECT t.max_concurrent_calls, t.max_calls_per_second, k.next_at, k.cool_until, k.resumed_at, k.asked_at
        INTO trunk_calls, trunk_rate, trunk_next, cool, resumed, asked
        FROM trunk_capacity k JOIN outbound_trunks t ON t.id = k.trunk_id
        WHERE k.trunk_id = of_trunk FOR NO KEY UPDATE OF k;
      EXIT WHEN FOUND;
      INSERT INTO trunk_capacity (trunk_id, org_id) SELECT id, org_id FROM outbound_trunks
        WHERE id = of_trunk AND (max_concurrent_calls IS NOT NULL OR max_calls_per_second IS NOT NULL)
        ON CONFLICT DO NOTHING;
    END LOOP;
    SELECT (limits->>'concurrentCalls')::integer, (limits->>'callsPerSecond')::double precision
      INTO org_calls, org_rate FROM organisations WHERE id = of_org;
    IF org_calls IS NOT NULL OR org_rate IS NOT NULL THEN
      FOR try IN 1..2 LOOP
        SELECT next_at INTO org_next FROM organisation_capacity WHERE org_id = of_org FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO organisation_capacity (org_id) VALUES (of_org) ON CONFLICT DO NOTHING;
      END LOOP;
    END IF;
    IF of_campaign IS NOT NULL THEN
      FOR try IN 1..2 LOOP
        SELECT next_at INTO campaign_next FROM campaign_capacity WHERE campaign_id = of_campaign FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO campaign_capacity (campaign_id, org_id) SELECT id, org_id FROM campaigns
          WHERE id = of_campaign AND (max_concurrent_calls IS NOT NULL OR calls_per_second IS NOT NULL OR pace < 1)
          ON CONFLICT DO NOTHING;
        EXIT WHEN NOT FOUND;
      END LOOP;
    END IF;
    -- Of the end of the call and a dial that comes late one sees what the other has stored.
    IF of_contact IS NOT NULL THEN PERFORM FROM campaign_contacts WHERE id = of_contact FOR SHARE; END IF;
    at_time := coalesce(at_time, clock_timestamp());
    IF of_contact IS NOT NULL THEN
      refused := refuse_campaign_call(of_campaign, of_version, of_contact, of_call, at_time);
      IF refused IS NOT NULL THEN
        DELETE FROM capacity_queue q WHERE q.call_id = of_call;
        RETURN QUERY SELECT NULL::text, 0, NULL::integer, refused, NULL::timestamptz;
        RETURN;
      END IF;
    END IF;
    IF of_campaign IS NOT NULL THEN
      SELECT c.max_concurrent_calls, coalesce(c.calls_per_second * c.pace, CASE WHEN c.pace < 1 THEN c.pace * (
            SELECT CASE WHEN bool_and(t.max_calls_per_second IS NOT NULL) THEN sum(t.max_calls_per_second) END
            FROM outbound_trunks t WHERE t.org_id = c.org_id AND CASE WHEN c.trunk_ids IS NULL
              THEN t.id = (SELECT a.outbound_trunk_id FROM agents a WHERE a.id = c.agent_id) ELSE t.id = ANY(c.trunk_ids) END) END)
        INTO campaign_calls, campaign_rate FROM campaigns c WHERE c.id = of_campaign;
    END IF;
    resumed := coalesce(resumed, '-infinity');
    IF asked < at_time - (5 + coalesce(1 / trunk_rate, 0)) * interval '1 second' THEN resumed := at_time; END IF;
    -- A leg of a call that is up waits in no queue: somebody is listening.
    IF of_call IS NOT NULL THEN
      since := coalesce((SELECT q.queued_at FROM capacity_queue q WHERE q.call_id = of_call),
        (SELECT max(a.queued_at) FROM call_attempts a WHERE a.call_id = of_call));
      queued := since IS NOT NULL;
      -- Most of the time nobody waits.
      IF EXISTS (SELECT FROM capacity_queue q WHERE q.org_id = of_org) THEN
        SELECT count(*), ${OTHERS} INTO ahead, others FROM capacity_queue q
          WHERE q.trunk_id = of_trunk AND q.reason LIKE 'trunk%' AND ${PRESENT} AND (since IS NULL OR (q.queued_at, q.call_id) < (since, of_call));
        IF NOT queued AND ahead > 0 THEN
          -- Start-time fair queueing: behind the one whose turn is next, and a turn behind the last of its own campaign, or
          -- of the calls that no campaign makes. So flows take turns, however many wait in each.
          SELECT greatest(
              coalesce(min(q.queued_at) FILTER (WHERE q.reason LIKE 'trunk%' AND ${PRESENT}) + interval '1 microsecond', at_time),
              max(q.queued_at) FILTER (WHERE q.campaign_id IS NOT DISTINCT FROM of_campaign)
                + interval '1 second' / coalesce(trunk_rate, 1))
            INTO fair FROM capacity_queue q WHERE q.trunk_id = of_trunk;
          SELECT count(*), ${OTHERS} INTO ahead, others FROM capacity_queue q
            WHERE q.trunk_id = of_trunk AND q.reason LIKE 'trunk%' AND ${PRESENT} AND (q.queued_at, q.call_id) < (fair, of_call);
        END IF;
        SELECT count(*) INTO org_ahead FROM capacity_queue q
          WHERE q.org_id = of_org AND q.reason LIKE 'organisation%' AND ${PRESENT} AND (since IS NULL OR (q.queued_at, q.call_id) < (since, of_call));
        IF of_campaign IS NOT NULL THEN
          SELECT count(*) INTO campaign_ahead FROM capacity_queue q
            WHERE q.campaign_id = of_campaign AND q.reason LIKE 'campaign%' AND ${PRESENT} AND (since IS NULL OR (q.queued_at, q.call_id) < (since, of_call));
        END IF;
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
          OR (others > 0 AND others > trunk_rate * 0.1) OR (org_ahead > 0 AND org_ahead > org_rate * 0.1)
          OR (NOT queued AND (others > 0 AND trunk_rate IS NOT NULL OR org_ahead > 0 AND org_rate IS NOT NULL)) THEN
        why := CASE WHEN turn = cool THEN 'trunk_cool_down'
          WHEN org_rate IS NULL OR turn = trunk_next OR others > 0 THEN 'trunk_rate' ELSE 'organisation_rate' END;
      END IF;
      -- Half a second before its turn: the rest it waits on its node.
      retry_in_ms := CASE WHEN why IS NOT NULL
        THEN greatest(1000, ceil(extract(epoch FROM expected - at_time) * 1000) - 500)::integer END;
    END IF;
    IF why IS NOT NULL THEN
      IF of_call IS NOT NULL THEN
        INSERT INTO capacity_queue AS q (call_id, org_id, trunk_id, campaign_id, queued_at, reason, retry_at)
          VALUES (of_call, of_org, of_trunk, of_campaign, coalesce(since, fair, at_time), why,
            at_time + retry_in_ms * interval '1 millisecond')
          ON CONFLICT (call_id) DO UPDATE
          SET reason = excluded.reason, retry_at = excluded.retry_at, called = 0, called_at = NULL;
      END IF;
      UPDATE trunk_capacity SET asked_at = at_time, resumed_at = resumed
        WHERE trunk_id = of_trunk AND trunk_rate IS NOT NULL;
      RETURN QUERY SELECT why, 0, retry_in_ms, NULL::text, NULL::timestamptz;
      RETURN;
    END IF;
    IF trunk_rate IS NOT NULL THEN
      UPDATE trunk_capacity SET next_at = turn + interval '1 second' / trunk_rate, asked_at = at_time, resumed_at = resumed
        WHERE trunk_id = of_trunk;
    END IF;
    IF org_rate IS NOT NULL THEN
      UPDATE organisation_capacity SET next_at = turn + interval '1 second' / org_rate WHERE org_id = of_org;
    END IF;
    IF campaign_rate IS NOT NULL THEN
      UPDATE campaign_capacity SET next_at = turn + interval '1 second' / campaign_rate WHERE campaign_id = of_campaign;
    END IF;
    IF lease IS NOT NULL THEN
      INSERT INTO capacity_leases (lease_id, org_id, trunk_id, campaign_id, node_id, boot_id)
        VALUES (lease, of_org, of_trunk, of_campaign, on_node, on_boot) ON CONFLICT DO NOTHING;
    END IF;
    IF queued THEN DELETE FROM capacity_queue q WHERE q.call_id = of_call; END IF;
    RETURN QUERY SELECT NULL::text, ceil(extract(epoch FROM turn - at_time) * 1000)::integer, NULL::integer, NULL::text,
      coalesce(since, at_time);
  END $$`,
];

/** Rows that there are are locked; those that are missing whoever asks next makes. */
const RELEASE: SqlFunction = [
  'release_capacity(lease uuid)',
  `RETURNS SETOF uuid LANGUAGE plpgsql AS $$
  DECLARE slot capacity_leases%ROWTYPE;
  BEGIN
    SELECT * INTO slot FROM capacity_leases WHERE lease_id = lease;
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM FROM trunk_capacity WHERE trunk_id = slot.trunk_id FOR NO KEY UPDATE;
    PERFORM FROM organisation_capacity WHERE org_id = slot.org_id FOR NO KEY UPDATE;
    IF slot.campaign_id IS NOT NULL THEN
      PERFORM FROM campaign_capacity WHERE campaign_id = slot.campaign_id FOR NO KEY UPDATE;
    END IF;
    DELETE FROM capacity_leases WHERE lease_id = lease;
    IF EXISTS (SELECT FROM capacity_queue q WHERE q.org_id = slot.org_id) THEN
      RETURN QUERY SELECT * FROM call_waiting(slot.trunk_id, slot.org_id, slot.campaign_id);
    END IF;
  END $$`,
];

/** The former ones, by name: those that are replaced and those that are no more. */
const FORMER = [
  'lock_capacity',
  'decide_capacity',
  'take_capacity',
  'refuse_campaign_call',
  'take_campaign_capacity',
  'release_capacity',
];
const FUNCTIONS = [REFUSE, DECIDE, RELEASE];

export class AdmissionAtOneLook1764601750000 implements MigrationInterface {
  readonly name = 'AdmissionAtOneLook1764601750000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE call_attempts ADD COLUMN queued_at timestamptz');
    for (const name of FORMER) await runner.query(`DROP FUNCTION ${name}`);
    for (const [signature, body] of FUNCTIONS) await runner.query(`CREATE FUNCTION ${signature} ${body}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [signature] of FUNCTIONS) await runner.query(`DROP FUNCTION ${nameOf(signature)}`);
    for (const [signature, body] of CAMPAIGN_CAPACITY_FUNCTIONS) {
      if (FORMER.includes(nameOf(signature))) {
        await runner.query(`CREATE FUNCTION ${signature} ${withContactLocked(signature, body)}`);
      }
    }
    await runner.query('ALTER TABLE call_attempts DROP COLUMN queued_at');
  }
}

const nameOf = (signature: string): string => signature.slice(0, signature.indexOf('('));
