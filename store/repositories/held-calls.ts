/**
 * Which calls are on hold: their nodes say so by events `hold`, of which the last counts, be it not the last one stored.
 * Its writer stores the event first and then looks for the row; who moves a row to `in_progress` looks for the event
 * then: one of the two finds the other.
 */
import { statusesBefore } from '../call-status';

const IS_HOLD = `(data->>'ours')::boolean OR (data->>'theirs')::boolean`;

/** Of the row that a statement is at. */
export const IS_HELD = `coalesce((
  SELECT ${IS_HOLD} FROM call_events WHERE call_id = calls.id AND source = 'node' AND type = 'hold'
  ORDER BY seq DESC LIMIT 1), false)`;

/** A row that is behind gets there; one that is transferring or over stays. Rows are locked in one order. */
export const PROJECT_HOLDS = `
  WITH last AS (
    SELECT DISTINCT ON (call_id) call_id, CASE WHEN ${IS_HOLD} THEN 'held' ELSE 'in_progress' END AS status
    FROM call_events WHERE call_id = ANY($1::uuid[]) AND source = 'node' AND type = 'hold'
    ORDER BY call_id, seq DESC
  ), moved AS (
    SELECT calls.id, last.status FROM calls JOIN last ON last.call_id = calls.id
    WHERE (last.status = 'held' AND calls.status = ANY($2::text[]))
       OR (last.status = 'in_progress' AND calls.status = 'held')
    ORDER BY calls.id FOR UPDATE OF calls
  )
  UPDATE calls SET status = moved.status FROM moved WHERE moved.id = calls.id`;

/** From which a call may become `held`. */
export const BEFORE_HELD = statusesBefore('held').filter((status) => status !== 'transferring');
