/** Contacts that were left out are counted by why as well: as exact, and as fast, as by state and result. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { TALLY } from './1764601600000-campaigns';

/**
 * Of a contact; empty where it was not left out by a look. Whoever is found on a list after a call is suppressed by that, and whose
 * last call came to nothing is exhausted by its calls.
 */
const REASON = `CASE
    WHEN result = 'suppressed' AND last_decision->>'called' IS DISTINCT FROM 'false' THEN 'suppressed'
    WHEN (result = 'suppressed' OR result = 'exhausted' AND last_decision->>'call_id' IS NULL)
      AND last_decision->>'called' = 'false' THEN coalesce(last_decision->>'reason', '')
    ELSE '' END`;

const counted = (rows: string, n: string): string => `
      INSERT INTO campaign_tallies AS t (campaign_id, slot, state, result, reason, org_id, contacts, attempts)
      SELECT campaign_id, pg_backend_pid() % 16, state, coalesce(result, ''), ${REASON}, org_id, sum(${n}), sum(${n} * attempts)
      FROM ${rows} GROUP BY campaign_id, org_id, state, coalesce(result, ''), ${REASON}
      HAVING sum(${n}) <> 0 OR sum(${n} * attempts) <> 0 ORDER BY 1, 3, 4, 5
      ON CONFLICT (campaign_id, slot, state, result, reason)
      DO UPDATE SET contacts = t.contacts + excluded.contacts, attempts = t.attempts + excluded.attempts;`;

const BY_REASON = `
  CREATE OR REPLACE FUNCTION tally_campaign_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP = 'INSERT' THEN ${counted('added', '1')}
    ELSIF TG_OP = 'DELETE' THEN ${counted('removed', '-1')}
    ELSE ${counted('(SELECT *, 1 AS n FROM added UNION ALL SELECT *, -1 AS n FROM removed) AS moved', 'n')}
    END IF;
    RETURN NULL;
  END $$`;

const PRIMARY_KEY = (columns: string): string =>
  `ALTER TABLE campaign_tallies DROP CONSTRAINT campaign_tallies_pk, ADD CONSTRAINT campaign_tallies_pk PRIMARY KEY (${columns})`;

export class TalliesByReason1764601780000 implements MigrationInterface {
  readonly name = 'TalliesByReason1764601780000';

  async up(runner: QueryRunner): Promise<void> {
    // Nobody counts meanwhile.
    await runner.query('LOCK TABLE campaign_contacts IN SHARE ROW EXCLUSIVE MODE');
    await runner.query(`ALTER TABLE campaign_tallies ADD COLUMN reason text NOT NULL DEFAULT ''`);
    await runner.query(PRIMARY_KEY('campaign_id, slot, state, result, reason'));
    await runner.query(BY_REASON);
    await runner.query(`DELETE FROM campaign_tallies WHERE result IN ('suppressed', 'exhausted')`);
    await runner.query(
      `INSERT INTO campaign_tallies (campaign_id, slot, state, result, reason, org_id, contacts, attempts)
       SELECT campaign_id, 0, state, result, ${REASON}, org_id, count(*), sum(attempts) FROM campaign_contacts
       WHERE result IN ('suppressed', 'exhausted') GROUP BY campaign_id, org_id, state, result, ${REASON}`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('LOCK TABLE campaign_contacts IN SHARE ROW EXCLUSIVE MODE');
    await runner.query(
      `WITH gone AS (DELETE FROM campaign_tallies WHERE reason <> '' RETURNING *)
       INSERT INTO campaign_tallies AS t (campaign_id, slot, state, result, reason, org_id, contacts, attempts)
       SELECT campaign_id, slot, state, result, '', org_id, sum(contacts), sum(attempts) FROM gone
       GROUP BY campaign_id, slot, state, result, org_id
       ON CONFLICT (campaign_id, slot, state, result, reason)
       DO UPDATE SET contacts = t.contacts + excluded.contacts, attempts = t.attempts + excluded.attempts`,
    );
    await runner.query(TALLY.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION'));
    await runner.query(PRIMARY_KEY('campaign_id, slot, state, result'));
    await runner.query('ALTER TABLE campaign_tallies DROP COLUMN reason');
  }
}
