/** Numbers are verified by a code call or a call that comes in, in rounds; one record of each number in an organisation. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `ALTER TABLE phone_numbers ADD COLUMN round integer NOT NULL DEFAULT 0, ADD COLUMN tries integer NOT NULL DEFAULT 0,
     ADD COLUMN trunk_id uuid, ADD COLUMN failure text`,
  `CREATE UNIQUE INDEX phone_numbers_record ON phone_numbers (phone_number, org_id)`,
  `CREATE INDEX phone_numbers_pending ON phone_numbers (id) WHERE status = 'pending'`,
  `CREATE TABLE number_code_calls (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    phone_number text NOT NULL,
    at timestamptz(3) NOT NULL DEFAULT now(),
    CONSTRAINT number_code_calls_pk PRIMARY KEY (id)
  )`,
  `CREATE INDEX number_code_calls_org ON number_code_calls (org_id, at)`,
  `ALTER TABLE number_code_calls ADD CONSTRAINT number_code_calls_org_fk FOREIGN KEY (org_id) REFERENCES organisations(id)`,
];

/** Whose it is concerns nobody; that nobody is called about a number that cannot be had does. */
const IS_VERIFIED = 'is_number_verified(text)';

export class NumberVerification1764600200000 implements MigrationInterface {
  readonly name = 'NumberVerification1764600200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    const [{ schema }]: [{ schema: string }] = await runner.query('SELECT quote_ident(current_schema()) AS schema');
    await runner.query(`CREATE FUNCTION is_number_verified(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
      AS $$ SELECT EXISTS (SELECT FROM phone_numbers WHERE phone_number = wanted AND status = 'verified') $$`);
    // Temporary tables last: nobody who may create some puts them in the place of ours.
    await runner.query(`ALTER FUNCTION ${IS_VERIFIED} SET search_path = ${schema}, pg_temp`);
    await runner.query(`REVOKE ALL ON FUNCTION ${IS_VERIFIED} FROM PUBLIC`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION ${IS_VERIFIED}`);
    await runner.query('DROP TABLE number_code_calls');
    await runner.query('DROP INDEX phone_numbers_pending');
    await runner.query('DROP INDEX phone_numbers_record');
    await runner.query(
      'ALTER TABLE phone_numbers DROP COLUMN round, DROP COLUMN tries, DROP COLUMN trunk_id, DROP COLUMN failure',
    );
  }
}
