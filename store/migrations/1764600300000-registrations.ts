/** Who has registered with the credentials of an inbound trunk. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `CREATE TABLE sip_registrations (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    trunk_id uuid NOT NULL,
    contact text NOT NULL,
    instance_id text,
    reg_id integer,
    q double precision NOT NULL DEFAULT 1,
    path text[] NOT NULL DEFAULT '{}',
    sip_call_id text NOT NULL,
    cseq bigint NOT NULL,
    user_agent text,
    transport text NOT NULL,
    source_address text NOT NULL,
    source_port integer NOT NULL,
    behind_nat boolean NOT NULL DEFAULT false,
    node_id text NOT NULL,
    registered_at timestamptz(3) NOT NULL,
    refreshed_at timestamptz(3) NOT NULL,
    expires_at timestamptz(3) NOT NULL,
    CONSTRAINT sip_registrations_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX sip_registrations_trunk ON sip_registrations (trunk_id, expires_at)`,
  `ALTER TABLE sip_registrations ADD CONSTRAINT sip_registrations_trunk_fk
    FOREIGN KEY (trunk_id) REFERENCES inbound_trunks(id) ON DELETE CASCADE`,
];

export class Registrations1764600300000 implements MigrationInterface {
  readonly name = 'Registrations1764600300000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sip_registrations');
  }
}
