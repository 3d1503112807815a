/** How far each trunk's configuration has come. Trunks that are there already are due at once: their workflows begin. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `CREATE TABLE trunk_provisioning (
    trunk_id uuid NOT NULL,
    org_id uuid NOT NULL,
    direction text NOT NULL,
    version bigint NOT NULL,
    confirmed_version bigint NOT NULL DEFAULT 0,
    confirmed_at timestamptz(3),
    removed boolean NOT NULL DEFAULT false,
    due_at timestamptz(3) NOT NULL,
    CONSTRAINT trunk_provisioning_pk PRIMARY KEY (trunk_id)
  )`,
  `CREATE INDEX trunk_provisioning_due ON trunk_provisioning (due_at) WHERE confirmed_version < version`,
  ...(['inbound', 'outbound'] as const).map(
    (direction) => `INSERT INTO trunk_provisioning (trunk_id, org_id, direction, version, due_at)
      SELECT id, org_id, '${direction}', greatest(version, 1), now() FROM ${direction}_trunks`,
  ),
];

export class TrunksProvisioning1764600100000 implements MigrationInterface {
  readonly name = 'TrunksProvisioning1764600100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE trunk_provisioning');
  }
}
