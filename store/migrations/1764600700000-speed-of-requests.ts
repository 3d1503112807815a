/**
 * What a request asks of many numbers stands in columns of their own. Under row-level security an index answers only for
 * comparisons that leak nothing (`proleakproof`), and `right()` is not one of them: an index of the expression was never
 * used by the API's role. The ending is written by a trigger, whoever inserts; the country is known to code alone.
 *
 * A key has a second rate, for requests whose answers stay open.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { countryOf } from '../routing/country';

const VERIFIED = `WHERE status = 'verified'`;

const ENDING = `
  CREATE FUNCTION write_number_ending() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.number_ending := right(NEW.phone_number, 7);
      RETURN NEW;
    END $$`;

/** Looks the key up and counts the request at one of its two rates, in one statement of the caller. */
export const ADMIT = `
  CREATE FUNCTION admit_api_key(wanted text, per_minute integer, of_streams boolean DEFAULT false)
  RETURNS TABLE (id uuid, org_id uuid, scopes text[], operator boolean, suspended boolean, expires_at timestamptz,
    allowed boolean, full_in_us double precision)
  LANGUAGE plpgsql SECURITY DEFINER AS $$
    #variable_conflict use_column
    DECLARE
      share CONSTANT interval := greatest(1, floor(60000000.0 / per_minute)) * interval '1 microsecond';
      holder record;
      taken boolean := true;
      full_again timestamptz;
    BEGIN
      SELECT k.id, k.org_id, k.scopes, k.operator, o.suspended_at IS NOT NULL AS suspended, k.expires_at INTO holder
        FROM api_keys k JOIN organisations o ON o.id = k.org_id
        WHERE k.hash = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
      IF NOT FOUND THEN RETURN; END IF;
      BEGIN
        INSERT INTO api_key_rates AS r (key_id, streaming, org_id, full_at)
          VALUES (holder.id, of_streams, holder.org_id, clock_timestamp() + share)
          ON CONFLICT (key_id, streaming) DO UPDATE SET full_at = greatest(r.full_at, clock_timestamp()) + share
            WHERE r.full_at + share <= clock_timestamp() + interval '1 minute'
          RETURNING r.full_at INTO full_again;
        taken := FOUND;
        IF NOT taken THEN
          SELECT r.full_at INTO full_again FROM api_key_rates r WHERE r.key_id = holder.id AND r.streaming = of_streams;
        END IF;
      EXCEPTION WHEN disk_full OR io_error OR read_only_sql_transaction THEN
        -- Who only reads, or hangs up, is served also where nothing can be written.
        taken := true;
      END;
      RETURN QUERY SELECT holder.id, holder.org_id, holder.scopes, holder.operator, holder.suspended, holder.expires_at,
        taken, coalesce(greatest(0, extract(epoch FROM full_again - clock_timestamp()) * 1000000), 0)::double precision;
    END $$`;

/** As the migration before made it. */
const ADMIT_BEFORE = ADMIT.replace(', of_streams boolean DEFAULT false', '')
  .replace('(key_id, streaming, org_id', '(key_id, org_id')
  .replace('holder.id, of_streams, ', 'holder.id, ')
  .replace('(key_id, streaming)', '(key_id)')
  .replace(' AND r.streaming = of_streams', '');

export class SpeedOfRequests1764600700000 implements MigrationInterface {
  readonly name = 'SpeedOfRequests1764600700000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX phone_numbers_ending');
    await runner.query('ALTER TABLE phone_numbers ADD COLUMN number_ending text, ADD COLUMN country text');
    await fillNumbers(runner);
    await runner.query('ALTER TABLE phone_numbers ALTER COLUMN number_ending SET NOT NULL');
    await runner.query(ENDING);
    await runner.query(
      `CREATE TRIGGER phone_numbers_ending BEFORE INSERT OR UPDATE OF phone_number ON phone_numbers
       FOR EACH ROW EXECUTE FUNCTION write_number_ending()`,
    );
    await runner.query(`CREATE INDEX phone_numbers_ending ON phone_numbers (org_id, number_ending) ${VERIFIED}`);
    await runner.query(`CREATE INDEX phone_numbers_country ON phone_numbers (org_id, country) ${VERIFIED}`);

    await runner.query('ALTER TABLE api_key_rates ADD COLUMN streaming boolean NOT NULL DEFAULT false');
    await runner.query('ALTER TABLE api_key_rates DROP CONSTRAINT api_key_rates_pkey');
    await runner.query('ALTER TABLE api_key_rates ADD PRIMARY KEY (key_id, streaming)');
    await replaceAdmit(runner, 'admit_api_key(text, integer)', ADMIT, 'admit_api_key(text, integer, boolean)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM api_key_rates WHERE streaming');
    await runner.query('ALTER TABLE api_key_rates DROP CONSTRAINT api_key_rates_pkey, DROP COLUMN streaming');
    await runner.query('ALTER TABLE api_key_rates ADD PRIMARY KEY (key_id)');
    await replaceAdmit(runner, 'admit_api_key(text, integer, boolean)', ADMIT_BEFORE, 'admit_api_key(text, integer)');

    await runner.query('DROP TRIGGER phone_numbers_ending ON phone_numbers');
    await runner.query('DROP FUNCTION write_number_ending()');
    // The indexes go with their columns.
    await runner.query('ALTER TABLE phone_numbers DROP COLUMN number_ending, DROP COLUMN country');
    await runner.query(
      `CREATE INDEX phone_numbers_ending ON phone_numbers (org_id, right(phone_number, 7)) ${VERIFIED}`,
    );
  }
}

/** In one writing of each row. */
async function fillNumbers(runner: QueryRunner): Promise<void> {
  const rows: { number: string }[] = await runner.query('SELECT DISTINCT phone_number AS number FROM phone_numbers');
  const countries = rows.map(({ number }) => countryOf(number));
  await runner.query(
    `UPDATE phone_numbers p SET number_ending = right(p.phone_number, 7), country = known.country
     FROM unnest($1::text[], $2::text[]) AS known (number, country) WHERE p.phone_number = known.number`,
    [rows.map(({ number }) => number), countries],
  );
}

/** Runs as the owner, whoever calls; nobody who may create temporary tables puts them in the place of ours. */
export async function replaceAdmit(
  runner: QueryRunner,
  before: string,
  definition: string,
  after: string,
): Promise<void> {
  const [{ schema }]: [{ schema: string }] = await runner.query('SELECT quote_ident(current_schema()) AS schema');
  await runner.query(`DROP FUNCTION ${before}`);
  await runner.query(definition);
  await runner.query(`ALTER FUNCTION ${after} SET search_path = ${schema}, pg_temp`);
  await runner.query(`REVOKE ALL ON FUNCTION ${after} FROM PUBLIC`);
}
