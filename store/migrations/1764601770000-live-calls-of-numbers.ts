/** A campaign's call is not admitted while the organisation speaks with the number, by whichever call; of those that are open each is in one index. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { REFUSE } from './1764601750000-admission-at-one-look';

const UP: readonly string[] = [
  `CREATE INDEX calls_live_to ON calls (org_id, to_number) WHERE direction = 'outbound' AND ended_at IS NULL`,
  `CREATE INDEX calls_live_from ON calls (org_id, from_number) WHERE direction = 'inbound' AND ended_at IS NULL`,
  // As before, and the last of it: whoever speaks with the number is asked for once all else is well.
  `CREATE OR REPLACE FUNCTION refuse_campaign_call(of_campaign uuid, of_version integer, of_contact uuid, of_call uuid,
    at_time timestamptz) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE refused text;
  BEGIN
    SELECT CASE
      WHEN k.status IS DISTINCT FROM 'running' THEN 'campaign_not_running'
      WHEN k.version <> of_version THEN 'campaign_changed'
      WHEN k.ends_at <= at_time THEN 'campaign_ended'
      WHEN c.state IS DISTINCT FROM 'calling' OR c.call_id IS DISTINCT FROM of_call THEN 'contact_moved'
      WHEN EXISTS (SELECT FROM dnc_entries d WHERE d.org_id = c.org_id AND d.phone_number = c.phone_number)
        OR EXISTS (SELECT FROM global_dnc_entries g WHERE g.phone_number = c.phone_number) THEN 'suppressed'
      WHEN EXISTS (SELECT FROM calls l WHERE l.org_id = c.org_id AND l.to_number = c.phone_number AND l.direction = 'outbound'
          AND l.ended_at IS NULL AND l.status <> 'scheduled' AND l.id <> of_call)
        OR EXISTS (SELECT FROM calls l WHERE l.org_id = c.org_id AND l.from_number = c.phone_number AND l.direction = 'inbound'
          AND l.ended_at IS NULL) THEN 'called_now' END
    INTO refused
    FROM (SELECT) AS one LEFT JOIN campaigns k ON k.id = of_campaign AND k.deleted_at IS NULL
      LEFT JOIN campaign_contacts c ON c.id = of_contact;
    RETURN refused;
  END $$`,
];

const DOWN: readonly string[] = [
  `CREATE OR REPLACE FUNCTION ${REFUSE.join(' ')}`,
  'DROP INDEX calls_live_from',
  'DROP INDEX calls_live_to',
];

export class LiveCallsOfNumbers1764601770000 implements MigrationInterface {
  readonly name = 'LiveCallsOfNumbers1764601770000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
