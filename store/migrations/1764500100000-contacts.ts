/** People whom an organisation knows. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `CREATE TABLE contacts (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    email text,
    phone_number text,
    name text,
    custom_data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT contacts_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX contacts_org ON contacts (org_id, created_at, id)`,
  `CREATE INDEX contacts_updated ON contacts (org_id, updated_at)`,
  `CREATE INDEX contacts_phone_number ON contacts (org_id, phone_number)`,
  `ALTER TABLE contacts ADD CONSTRAINT contacts_org_fk FOREIGN KEY (org_id) REFERENCES organisations(id)`,
];

export class Contacts1764500100000 implements MigrationInterface {
  readonly name = 'Contacts1764500100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE contacts');
  }
}
