/** What PostgreSQL has of all calls of a stack, counted there: thousands of them are too many to be listed. */
import type { Client } from 'pg';

export interface RecordedCalls {
  readonly records: number;
  readonly sipCallIds: number;
  readonly truncated: number;
  readonly withOneTerminalEvent: number;
  readonly withMoreTerminalEvents: number;
  /** Calls by `<status> <disposition> <end reason> <ended by>`, with `-` for none. */
  readonly endings: Readonly<Record<string, number>>;
}

const COUNTS = `
SELECT count(*)::int AS "records",
       count(DISTINCT sip_call_id)::int AS "sipCallIds",
       count(*) FILTER (WHERE truncated)::int AS "truncated",
       count(*) FILTER (WHERE terminal = 1)::int AS "withOneTerminalEvent",
       count(*) FILTER (WHERE terminal > 1)::int AS "withMoreTerminalEvents"
FROM calls LEFT JOIN (
  SELECT call_id, count(*) AS terminal FROM call_events WHERE type IN ('call.ended', 'call.failed') GROUP BY call_id
) AS ends ON ends.call_id = calls.id`;

const ENDINGS = `
SELECT concat_ws(' ', status, coalesce(disposition, '-'), coalesce(end_reason, '-'), coalesce(ended_by, '-')) AS ending,
       count(*)::int AS calls
FROM calls GROUP BY 1 ORDER BY 1`;

export async function recordedCalls(database: Client): Promise<RecordedCalls> {
  const [counts] = (await database.query<Omit<RecordedCalls, 'endings'>>(COUNTS)).rows;
  if (counts === undefined) throw new Error('an aggregate without a row');
  const { rows } = await database.query<{ ending: string; calls: number }>(ENDINGS);
  return { ...counts, endings: Object.fromEntries(rows.map(({ ending, calls }) => [ending, calls])) };
}

export async function completedCalls(database: Client): Promise<number> {
  const { rows } = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM calls WHERE status = 'completed'",
  );
  return rows[0]?.n ?? 0;
}
