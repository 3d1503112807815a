/** Outbound trunks are pinged and registered with; what comes of it, and which media node does it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `ALTER TABLE outbound_trunks ADD COLUMN register boolean NOT NULL DEFAULT false,
     ADD COLUMN options_ping boolean NOT NULL DEFAULT true`,
  // Room in each page: each ping changes its row, and no index.
  `CREATE TABLE trunk_health (
    trunk_id uuid NOT NULL,
    org_id uuid NOT NULL,
    owner_node text,
    owner_boot text,
    state text NOT NULL DEFAULT 'unknown',
    reasons jsonb NOT NULL DEFAULT '[]',
    since timestamptz(3) NOT NULL DEFAULT now(),
    told_since timestamptz(3),
    checked_at timestamptz(3),
    rtt_ms integer,
    registration jsonb,
    CONSTRAINT trunk_health_pk PRIMARY KEY (trunk_id)
  ) WITH (fillfactor = 70)`,
  `CREATE INDEX trunk_health_owner ON trunk_health (owner_node, owner_boot)`,
  `ALTER TABLE trunk_health ADD CONSTRAINT trunk_health_trunk_fk
     FOREIGN KEY (trunk_id) REFERENCES outbound_trunks(id) ON DELETE CASCADE`,
  `INSERT INTO trunk_health (trunk_id, org_id) SELECT id, org_id FROM outbound_trunks`,
];

const DOWN: readonly string[] = [
  `DROP TABLE trunk_health`,
  `ALTER TABLE outbound_trunks DROP COLUMN options_ping, DROP COLUMN register`,
];

export class HealthTrunks1764600400000 implements MigrationInterface {
  readonly name = 'HealthTrunks1764600400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
