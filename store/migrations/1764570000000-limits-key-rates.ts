/**
 * How much of its rate a key has used, for all API processes together. A row holds one time: when the whole allowance will
 * be there again. Each request moves it on by its share of a minute and is refused where that would be more than a minute
 * ahead; a time that has passed says as much as no row. Not logged: after a crash of PostgreSQL every key begins anew.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FIND = 'find_api_key(wanted text)';
const ADMIT = 'admit_api_key(wanted text, per_minute integer)';
const PURGE = 'purge_api_key_rates()';

/** Looks the key up and counts the request, in one statement of the caller. */
const ADMIT_BODY = `
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
        INSERT INTO api_key_rates AS r (key_id, org_id, full_at)
          VALUES (holder.id, holder.org_id, clock_timestamp() + share)
          ON CONFLICT (key_id) DO UPDATE SET full_at = greatest(r.full_at, clock_timestamp()) + share
            WHERE r.full_at + share <= clock_timestamp() + interval '1 minute'
          RETURNING r.full_at INTO full_again;
        taken := FOUND;
        IF NOT taken THEN SELECT r.full_at INTO full_again FROM api_key_rates r WHERE r.key_id = holder.id; END IF;
      EXCEPTION WHEN disk_full OR io_error OR read_only_sql_transaction THEN
        -- Who only reads, or hangs up, is served also where nothing can be written.
        taken := true;
      END;
      RETURN QUERY SELECT holder.id, holder.org_id, holder.scopes, holder.operator, holder.suspended, holder.expires_at,
        taken, coalesce(greatest(0, extract(epoch FROM full_again - clock_timestamp()) * 1000000), 0)::double precision;
    END $$`;

/** As the first migration that had it made it. */
const FIND_BODY = `
  RETURNS TABLE (id uuid, org_id uuid, scopes text[], operator boolean, suspended boolean)
  LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
    #variable_conflict use_column
    BEGIN
      RETURN QUERY SELECT k.id, k.org_id, k.scopes, k.operator, o.suspended_at IS NOT NULL
        FROM api_keys k JOIN organisations o ON o.id = k.org_id
        WHERE k.hash = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
    END $$`;

const PURGE_BODY = `
  RETURNS integer LANGUAGE sql SECURITY DEFINER AS $$
    WITH gone AS (DELETE FROM api_key_rates WHERE full_at < clock_timestamp() RETURNING 1)
    SELECT count(*)::int FROM gone $$`;

export class LimitsKeyRates1764570000000 implements MigrationInterface {
  readonly name = 'LimitsKeyRates1764570000000';

  async up(runner: QueryRunner): Promise<void> {
    // Room in each page, so that a request's update stays in its page and moves no index.
    await runner.query(
      `CREATE UNLOGGED TABLE api_key_rates (key_id uuid PRIMARY KEY, org_id uuid NOT NULL, full_at timestamptz NOT NULL)
       WITH (fillfactor = 50)`,
    );
    await lend(runner, ADMIT, ADMIT_BODY);
    await lend(runner, PURGE, PURGE_BODY);
    await runner.query(`DROP FUNCTION ${typesOf(FIND)}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await lend(runner, FIND, FIND_BODY);
    for (const signature of [PURGE, ADMIT]) await runner.query(`DROP FUNCTION ${typesOf(signature)}`);
    await runner.query('DROP TABLE api_key_rates');
  }
}

/** Runs as the owner, whoever calls; nobody who may create temporary tables puts them in the place of ours. */
async function lend(runner: QueryRunner, signature: string, body: string): Promise<void> {
  const [{ schema }]: [{ schema: string }] = await runner.query('SELECT quote_ident(current_schema()) AS schema');
  await runner.query(`CREATE FUNCTION ${signature} ${body}`);
  await runner.query(`ALTER FUNCTION ${typesOf(signature)} SET search_path = ${schema}, pg_temp`);
  await runner.query(`REVOKE ALL ON FUNCTION ${typesOf(signature)} FROM PUBLIC`);
}

/** `f(a text)` is named as `f(text)`. */
const typesOf = (signature: string): string => signature.replaceAll(/\w+ (?=\w+[,)])/g, '');
