/** What a campaign needs once it calls: its timeline, why each contact was called or not, and what of it waits or is under way. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `ALTER TABLE campaigns ADD COLUMN recurrence jsonb, ADD COLUMN status_reason text, ADD COLUMN running_since timestamptz(3),
     ADD COLUMN pace double precision NOT NULL DEFAULT 1`,
  `CREATE INDEX campaigns_live ON campaigns (id) WHERE status IN ('scheduled', 'running', 'paused') AND deleted_at IS NULL`,
  `ALTER TABLE campaign_contacts ADD COLUMN calls smallint NOT NULL DEFAULT 0, ADD COLUMN turn text,
     ADD COLUMN round_at timestamptz(3)`,
  // One live call per number: whoever comes second finds out at the row.
  `DROP INDEX campaign_contacts_calling`,
  `CREATE UNIQUE INDEX campaign_contacts_calling ON campaign_contacts (org_id, phone_number) WHERE state = 'calling'`,
  `CREATE INDEX calls_contact ON calls (contact_id, created_at) WHERE campaign_id IS NOT NULL`,

  `CREATE TABLE campaign_events (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    at timestamptz(3) NOT NULL DEFAULT now(),
    type text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT campaign_events_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX campaign_events_campaign ON campaign_events (campaign_id, at, id)`,

  `CREATE TABLE contact_decisions (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    call_id uuid,
    at timestamptz(3) NOT NULL DEFAULT now(),
    dialled boolean NOT NULL,
    checks jsonb NOT NULL,
    CONSTRAINT contact_decisions_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX contact_decisions_contact ON contact_decisions (campaign_id, contact_id, at, id)`,

  // As of trunks and organisations: the generic cell rate algorithm.
  `CREATE TABLE campaign_capacity (
    campaign_id uuid NOT NULL,
    org_id uuid NOT NULL,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT campaign_capacity_pk PRIMARY KEY (campaign_id)
  ) WITH (fillfactor = 50)`,
  `ALTER TABLE campaign_capacity ADD CONSTRAINT campaign_capacity_campaign_fk
     FOREIGN KEY (campaign_id) REFERENCES campaigns(id) ON DELETE CASCADE`,
];

const DOWN: readonly string[] = [
  'DROP TABLE campaign_capacity, contact_decisions, campaign_events',
  'DROP INDEX calls_contact',
  'DROP INDEX campaign_contacts_calling',
  `CREATE INDEX campaign_contacts_calling ON campaign_contacts (org_id, phone_number) WHERE state = 'calling'`,
  'ALTER TABLE campaign_contacts DROP COLUMN round_at, DROP COLUMN turn, DROP COLUMN calls',
  'DROP INDEX campaigns_live',
  `ALTER TABLE campaigns DROP COLUMN pace, DROP COLUMN running_since, DROP COLUMN status_reason, DROP COLUMN recurrence`,
];

export class CampaignDialling1764601700000 implements MigrationInterface {
  readonly name = 'CampaignDialling1764601700000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
