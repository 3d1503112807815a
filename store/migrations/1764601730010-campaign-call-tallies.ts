/**
 * How a campaign's calls went, counted as each ends: by disposition, by the hour of the day where the contact is, and by how
 * many dials the contact has had. In slots as its contacts are.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES: readonly string[] = [
  `CREATE TABLE campaign_call_tallies (
    campaign_id uuid NOT NULL,
    slot smallint NOT NULL,
    disposition text NOT NULL,
    hour smallint NOT NULL,
    attempt smallint NOT NULL,
    org_id uuid NOT NULL,
    calls bigint NOT NULL,
    seconds bigint NOT NULL,
    CONSTRAINT campaign_call_tallies_pk PRIMARY KEY (campaign_id, slot, disposition, hour, attempt)
  )`,
  `ALTER TABLE campaign_call_tallies ADD CONSTRAINT campaign_call_tallies_campaign_fk
     FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE`,
  'ALTER TABLE campaign_contacts ADD COLUMN clock_zone text',
];

/** A zone that PostgreSQL does not know, or none, costs the hour and never the end of a call. */
const TALLY = `
  CREATE FUNCTION tally_campaign_call() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    dialled_at timestamptz;
    zone text;
    clock_hour smallint := -1;
    nth smallint;
  BEGIN
    SELECT min(created_at) INTO dialled_at FROM call_attempts WHERE call_id = NEW.id AND state <> 'not_sent';
    IF dialled_at IS NULL THEN RETURN NULL; END IF;
    SELECT coalesce(k.time_zone, k.clock_zone, p.dial_window->>'defaultTimeZone') INTO zone
    FROM campaigns p LEFT JOIN campaign_contacts k ON k.id = NEW.contact_id AND k.campaign_id = p.id
    WHERE p.id = NEW.campaign_id;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF zone IS NOT NULL THEN
      BEGIN
        clock_hour := extract(hour FROM dialled_at AT TIME ZONE zone);
      EXCEPTION WHEN invalid_parameter_value THEN
        clock_hour := -1;
      END;
    END IF;
    SELECT count(*) INTO nth FROM calls c
    WHERE c.contact_id = NEW.contact_id AND c.campaign_id = NEW.campaign_id AND c.created_at <= NEW.created_at
      AND EXISTS (SELECT FROM call_attempts a WHERE a.call_id = c.id AND a.state <> 'not_sent');
    INSERT INTO campaign_call_tallies AS t (campaign_id, slot, disposition, hour, attempt, org_id, calls, seconds)
    VALUES (NEW.campaign_id, pg_backend_pid() % 16, NEW.disposition, clock_hour, nth, NEW.org_id, 1,
      coalesce(NEW.duration_seconds, 0))
    ON CONFLICT (campaign_id, slot, disposition, hour, attempt)
    DO UPDATE SET calls = t.calls + 1, seconds = t.seconds + excluded.seconds;
    RETURN NULL;
  END $$`;

export class CampaignCallTallies1764601730010 implements MigrationInterface {
  readonly name = 'CampaignCallTallies1764601730010';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, TALLY]) await runner.query(statement);
    await runner.query(
      `CREATE TRIGGER calls_tallied AFTER UPDATE OF ended_at ON calls FOR EACH ROW
       WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND NEW.campaign_id IS NOT NULL AND NEW.contact_id IS NOT NULL)
       EXECUTE FUNCTION tally_campaign_call()`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER calls_tallied ON calls');
    await runner.query('DROP FUNCTION tally_campaign_call()');
    await runner.query('ALTER TABLE campaign_contacts DROP COLUMN clock_zone');
    await runner.query('DROP TABLE campaign_call_tallies');
  }
}
