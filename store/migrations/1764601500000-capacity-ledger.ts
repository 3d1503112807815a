/** What trunks and organisations carry at once, and in a second; who has a slot of it, and who waits for one. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  // Room in each page: each dial changes its row, and no index.
  `CREATE TABLE trunk_capacity (
    trunk_id uuid NOT NULL,
    org_id uuid NOT NULL,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    cool_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT trunk_capacity_pk PRIMARY KEY (trunk_id)
  ) WITH (fillfactor = 50)`,
  `ALTER TABLE trunk_capacity ADD CONSTRAINT trunk_capacity_trunk_fk
     FOREIGN KEY (trunk_id) REFERENCES outbound_trunks(id) ON DELETE CASCADE`,
  `CREATE TABLE organisation_capacity (
    org_id uuid NOT NULL,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT organisation_capacity_pk PRIMARY KEY (org_id)
  ) WITH (fillfactor = 50)`,
  `ALTER TABLE organisation_capacity ADD CONSTRAINT organisation_capacity_org_fk
     FOREIGN KEY (org_id) REFERENCES organisations(id) ON DELETE CASCADE`,
  `CREATE TABLE capacity_leases (
    lease_id uuid NOT NULL,
    org_id uuid NOT NULL,
    trunk_id uuid NOT NULL,
    node_id text NOT NULL,
    boot_id text NOT NULL,
    taken_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT capacity_leases_pk PRIMARY KEY (lease_id)
  )`,
  `CREATE INDEX capacity_leases_trunk ON capacity_leases (trunk_id)`,
  `CREATE INDEX capacity_leases_org ON capacity_leases (org_id)`,
  `CREATE TABLE capacity_queue (
    call_id uuid NOT NULL,
    org_id uuid NOT NULL,
    trunk_id uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text NOT NULL,
    retry_at timestamptz(3),
    called integer NOT NULL DEFAULT 0,
    called_at timestamptz(3),
    CONSTRAINT capacity_queue_pk PRIMARY KEY (call_id)
  )`,
  `CREATE INDEX capacity_queue_trunk ON capacity_queue (trunk_id, queued_at)`,
  `CREATE INDEX capacity_queue_org ON capacity_queue (org_id, queued_at)`,
];

/** Who waits and has been called twice in vain, or has let its time go by, stands in nobody's way. */
const PRESENT = `called < 2 AND (retry_at IS NULL OR retry_at > clock_timestamp() - interval '10 seconds')`;
/** Whoever was called comes within this, or is called again. */
const CALLED_FOR = `interval '5 seconds'`;

/**
 * Whoever takes or gives back a slot holds the row of the trunk, and then that of its organisation: so of a slot that comes
 * free and a call that finds none one sees the other. In each function a statement sees what was committed before it began,
 * which a single statement with a lock would not.
 */
export const CAPACITY_FUNCTIONS: readonly (readonly [signature: string, body: string])[] = [
  [
    'lock_capacity(of_trunk uuid, of_org uuid)',
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
    END $$`,
  ],
  [
    // The generic cell rate algorithm: next_at is when the next turn is. What is past is a trunk at rest, and never a burst.
    `decide_capacity(at_time timestamptz, lease uuid, of_call uuid, of_org uuid, of_trunk uuid, on_node text, on_boot text,
      ahead_ms integer)`,
    `RETURNS TABLE (reason text, wait_ms integer, retry_in_ms integer) LANGUAGE plpgsql AS $$
    DECLARE
      trunk_calls integer; trunk_rate double precision; trunk_next timestamptz; cool timestamptz;
      org_calls integer; org_rate double precision; org_next timestamptz;
      place timestamptz; ahead bigint := 0; org_ahead bigint := 0;
      turn timestamptz; expected timestamptz; why text;
    BEGIN
      SELECT max_concurrent_calls, max_calls_per_second INTO trunk_calls, trunk_rate
        FROM outbound_trunks WHERE id = of_trunk;
      SELECT (limits->>'concurrentCalls')::integer, (limits->>'callsPerSecond')::double precision
        INTO org_calls, org_rate FROM organisations WHERE id = of_org;
      SELECT next_at, cool_until INTO trunk_next, cool FROM trunk_capacity WHERE trunk_id = of_trunk;
      SELECT next_at INTO org_next FROM organisation_capacity WHERE org_id = of_org;
      -- A leg of a call that is up waits in no queue: somebody is listening.
      IF of_call IS NOT NULL THEN
        SELECT queued_at INTO place FROM capacity_queue q WHERE q.call_id = of_call;
        SELECT count(*) INTO ahead FROM capacity_queue q
          WHERE q.trunk_id = of_trunk AND q.reason LIKE 'trunk%' AND ${PRESENT} AND (place IS NULL OR (q.queued_at, q.call_id) < (place, of_call));
        SELECT count(*) INTO org_ahead FROM capacity_queue q
          WHERE q.org_id = of_org AND q.reason LIKE 'organisation%' AND ${PRESENT} AND (place IS NULL OR (q.queued_at, q.call_id) < (place, of_call));
      END IF;
      IF trunk_calls IS NOT NULL
          AND ahead + (SELECT count(*) FROM capacity_leases l WHERE l.trunk_id = of_trunk) >= trunk_calls THEN
        why := 'trunk_concurrency';
      ELSIF org_calls IS NOT NULL
          AND org_ahead + (SELECT count(*) FROM capacity_leases l WHERE l.org_id = of_org) >= org_calls THEN
        why := 'organisation_concurrency';
      END IF;
      turn := greatest(at_time, cool, CASE WHEN trunk_rate IS NOT NULL THEN trunk_next END,
        CASE WHEN org_rate IS NOT NULL THEN org_next END);
      IF why IS NULL THEN
        expected := turn + greatest(coalesce(ahead / trunk_rate, 0), coalesce(org_ahead / org_rate, 0)) * interval '1 second';
        IF expected > at_time + ahead_ms * interval '1 millisecond'
            OR (place IS NULL AND (ahead > 0 AND trunk_rate IS NOT NULL OR org_ahead > 0 AND org_rate IS NOT NULL)) THEN
          why := CASE WHEN turn = cool THEN 'trunk_cool_down'
            WHEN org_rate IS NULL OR turn = trunk_next OR ahead > 0 THEN 'trunk_rate' ELSE 'organisation_rate' END;
        END IF;
      END IF;
      IF why IS NOT NULL THEN
        -- Half a second before its turn: the rest it waits on its node.
        retry_in_ms := CASE WHEN expected IS NOT NULL
          THEN greatest(1000, ceil(extract(epoch FROM expected - at_time) * 1000) - 500)::integer END;
        IF of_call IS NOT NULL THEN
          INSERT INTO capacity_queue AS q (call_id, org_id, trunk_id, reason, retry_at)
            VALUES (of_call, of_org, of_trunk, why, at_time + retry_in_ms * interval '1 millisecond')
            ON CONFLICT (call_id) DO UPDATE
            SET reason = excluded.reason, retry_at = excluded.retry_at, called = 0, called_at = NULL;
        END IF;
        RETURN QUERY SELECT why, 0, retry_in_ms;
        RETURN;
      END IF;
      UPDATE trunk_capacity SET next_at = turn + interval '1 second' / trunk_rate
        WHERE trunk_id = of_trunk AND trunk_rate IS NOT NULL;
      UPDATE organisation_capacity SET next_at = turn + interval '1 second' / org_rate
        WHERE org_id = of_org AND org_rate IS NOT NULL;
      IF lease IS NOT NULL THEN
        INSERT INTO capacity_leases (lease_id, org_id, trunk_id, node_id, boot_id)
          VALUES (lease, of_org, of_trunk, on_node, on_boot) ON CONFLICT DO NOTHING;
      END IF;
      IF place IS NOT NULL THEN DELETE FROM capacity_queue q WHERE q.call_id = of_call; END IF;
      RETURN QUERY SELECT NULL::text, ceil(extract(epoch FROM turn - at_time) * 1000)::integer, NULL::integer;
    END $$`,
  ],
  [
    `take_capacity(lease uuid, of_call uuid, of_org uuid, of_trunk uuid, on_node text, on_boot text, ahead_ms integer)`,
    `RETURNS TABLE (reason text, wait_ms integer, retry_in_ms integer) LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM lock_capacity(of_trunk, of_org);
      RETURN QUERY SELECT * FROM
        decide_capacity(clock_timestamp(), lease, of_call, of_org, of_trunk, on_node, on_boot, ahead_ms);
    END $$`,
  ],
  [
    // Of those that wait for a slot as many as have one now, in their order; who was called a moment ago is on the way.
    'call_waiting(of_trunk uuid, of_org uuid)',
    `RETURNS SETOF uuid LANGUAGE plpgsql AS $$
    DECLARE trunk_free bigint; org_free bigint;
    BEGIN
      SELECT max_concurrent_calls - (SELECT count(*) FROM capacity_leases WHERE trunk_id = of_trunk)
        INTO trunk_free FROM outbound_trunks WHERE id = of_trunk;
      SELECT (limits->>'concurrentCalls')::integer - (SELECT count(*) FROM capacity_leases WHERE org_id = of_org)
        INTO org_free FROM organisations WHERE id = of_org;
      RETURN QUERY
        WITH first AS (
          (SELECT call_id FROM capacity_queue
           WHERE trunk_id = of_trunk AND reason LIKE 'trunk%' AND ${PRESENT} ORDER BY queued_at, call_id LIMIT greatest(trunk_free, 0))
          UNION
          (SELECT call_id FROM capacity_queue
           WHERE org_id = of_org AND reason LIKE 'organisation%' AND ${PRESENT} ORDER BY queued_at, call_id LIMIT greatest(org_free, 0))
          UNION
          (SELECT call_id FROM capacity_queue WHERE trunk_id = of_trunk AND NOT (${PRESENT})))
        UPDATE capacity_queue q SET called = called + 1, called_at = clock_timestamp() FROM first
        WHERE q.call_id = first.call_id AND (q.retry_at IS NULL OR NOT (${PRESENT}))
          AND (q.called_at IS NULL OR q.called_at < clock_timestamp() - ${CALLED_FOR})
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
      PERFORM lock_capacity(slot.trunk_id, slot.org_id);
      DELETE FROM capacity_leases WHERE lease_id = lease;
      RETURN QUERY SELECT * FROM call_waiting(slot.trunk_id, slot.org_id);
    END $$`,
  ],
];

const TABLES = ['capacity_queue', 'capacity_leases', 'organisation_capacity', 'trunk_capacity'] as const;

export class CapacityLedger1764601500000 implements MigrationInterface {
  readonly name = 'CapacityLedger1764601500000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    for (const [signature, body] of CAPACITY_FUNCTIONS) await runner.query(`CREATE FUNCTION ${signature} ${body}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [signature] of CAPACITY_FUNCTIONS) await runner.query(`DROP FUNCTION ${nameOf(signature)}`);
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}

const nameOf = (signature: string): string => signature.slice(0, signature.indexOf('('));
