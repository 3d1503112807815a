/** Organisations have limits and can be suspended; what must look across organisations is lent as a function each. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Run as the owner, whoever calls. */
const LENT = 'LANGUAGE sql SECURITY DEFINER';

const FUNCTIONS: readonly (readonly [string, string])[] = [
  [
    'find_api_key(wanted text)',
    // Every request asks it: PL/pgSQL keeps the plan for the session.
    `RETURNS TABLE (id uuid, org_id uuid, scopes text[], operator boolean, suspended boolean)
     LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
       #variable_conflict use_column
       BEGIN
         RETURN QUERY SELECT k.id, k.org_id, k.scopes, k.operator, o.suspended_at IS NOT NULL
           FROM api_keys k JOIN organisations o ON o.id = k.org_id
           WHERE k.hash = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
       END $$`,
  ],
  ['count_organisations()', `RETURNS integer STABLE ${LENT} AS $$ SELECT count(*)::int FROM organisations $$`],
  [
    'list_organisations(before_at timestamptz, before_id uuid, how_many integer)',
    `RETURNS SETOF organisations STABLE ${LENT} AS $$
       SELECT * FROM organisations WHERE before_at IS NULL OR (created_at, id) < (before_at, before_id)
       ORDER BY created_at DESC, id DESC LIMIT how_many $$`,
  ],
  [
    'purge_idempotency_keys(how_many integer)',
    `RETURNS integer ${LENT} AS $$
       WITH gone AS (
         DELETE FROM idempotency_keys WHERE ctid IN (
           SELECT ctid FROM idempotency_keys
           WHERE created_at < now() - interval '48 hours' AND coalesce(lease_until < now(), true)
           LIMIT how_many FOR UPDATE SKIP LOCKED)
         RETURNING 1)
       SELECT count(*)::int FROM gone $$`,
  ],
];

export class TenancyOrganisations1764530000000 implements MigrationInterface {
  readonly name = 'TenancyOrganisations1764530000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE organisations ADD COLUMN suspended_at timestamptz(3)');
    await runner.query(`ALTER TABLE organisations ADD COLUMN limits jsonb NOT NULL DEFAULT '{}'`);
    await runner.query('CREATE INDEX organisations_created ON organisations (created_at, id)');
    const [{ schema }]: [{ schema: string }] = await runner.query('SELECT quote_ident(current_schema()) AS schema');
    for (const [signature, body] of FUNCTIONS) {
      await runner.query(`CREATE FUNCTION ${signature} ${body}`);
      // Temporary tables last: nobody who may create some puts them in the place of ours.
      await runner.query(`ALTER FUNCTION ${typesOf(signature)} SET search_path = ${schema}, pg_temp`);
      await runner.query(`REVOKE ALL ON FUNCTION ${typesOf(signature)} FROM PUBLIC`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [signature] of FUNCTIONS) await runner.query(`DROP FUNCTION ${typesOf(signature)}`);
    await runner.query('DROP INDEX organisations_created');
    await runner.query('ALTER TABLE organisations DROP COLUMN limits, DROP COLUMN suspended_at');
  }
}

/** `f(a text)` is named as `f(text)`. */
function typesOf(signature: string): string {
  return signature.replaceAll(/\w+ (?=\w+[,)])/g, '');
}
