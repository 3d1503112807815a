/** Where agents may transfer their callers, and which agent where. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `CREATE TABLE transfer_destinations (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    value text NOT NULL,
    mode text NOT NULL DEFAULT 'auto',
    ring_timeout_seconds integer NOT NULL DEFAULT 30,
    announce text,
    username text,
    password_sealed text,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT transfer_destinations_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX transfer_destinations_org ON transfer_destinations (org_id, created_at)`,
  `ALTER TABLE transfer_destinations ADD CONSTRAINT transfer_destinations_org_fk FOREIGN KEY (org_id) REFERENCES organisations(id)`,
  `CREATE TABLE agent_transfer_destinations (
    agent_id uuid NOT NULL,
    destination_id uuid NOT NULL,
    org_id uuid NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT agent_transfer_destinations_pk PRIMARY KEY (agent_id, destination_id)
  )`,
  `CREATE INDEX agent_transfer_destinations_destination ON agent_transfer_destinations (destination_id)`,
  `ALTER TABLE agent_transfer_destinations ADD CONSTRAINT agent_transfer_destinations_agent_fk
     FOREIGN KEY (agent_id) REFERENCES agents(id) ON DELETE CASCADE`,
  `ALTER TABLE agent_transfer_destinations ADD CONSTRAINT agent_transfer_destinations_destination_fk
     FOREIGN KEY (destination_id) REFERENCES transfer_destinations(id) ON DELETE CASCADE`,
  // Until now any id was taken, and none can have meant anything.
  `UPDATE agents SET failover_transfer_destination_id = NULL WHERE failover_transfer_destination_id IS NOT NULL`,
  `CREATE INDEX agents_failover ON agents (failover_transfer_destination_id)
     WHERE failover_transfer_destination_id IS NOT NULL`,
  `ALTER TABLE agents ADD CONSTRAINT agents_failover_fk
     FOREIGN KEY (failover_transfer_destination_id) REFERENCES transfer_destinations(id)`,
];

const DOWN: readonly string[] = [
  `ALTER TABLE agents DROP CONSTRAINT agents_failover_fk`,
  `DROP INDEX agents_failover`,
  `DROP TABLE agent_transfer_destinations`,
  `DROP TABLE transfer_destinations`,
];

export class TransferDestinations1764500000000 implements MigrationInterface {
  readonly name = 'TransferDestinations1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
