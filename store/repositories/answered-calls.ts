/**
 * Which calls were answered, and when: their nodes say so by the event `answered`, of which the earliest counts. Its writer
 * stores the event first and then looks for the row; who makes a row looks for the event then: one of the two finds the other.
 */
import type { CallStatus } from '../../contract/call';
import { statusesBefore } from '../call-status';
import { prepared } from '../prepared';
import { IS_HELD } from './held-calls';

/** A row that is further stays there, one that is over stays as it is. Rows are locked in one order. */
export const PROJECT_ANSWERS = prepared(`
  WITH answers AS (
    SELECT DISTINCT ON (call_id) call_id, at, data->>'sipCallId' AS sip_call_id
    FROM call_events WHERE call_id = ANY($1::uuid[]) AND source = 'node' AND type = 'answered'
    ORDER BY call_id, at
  ), open AS (
    SELECT calls.id, answers.at, answers.sip_call_id FROM calls JOIN answers ON answers.call_id = calls.id
    WHERE calls.status <> 'completed' ORDER BY calls.id FOR UPDATE OF calls
  )
  UPDATE calls SET
    status = CASE WHEN status <> ALL($2::text[]) THEN status WHEN ${IS_HELD} THEN 'held' ELSE 'in_progress' END,
    sip_call_id = coalesce(open.sip_call_id, calls.sip_call_id), answered_at = least(calls.answered_at, open.at)
  FROM open WHERE open.id = calls.id`);

/** From which the answer moves a call on. */
export const BEFORE_ANSWERED: readonly CallStatus[] = statusesBefore('in_progress').filter(
  // What its node has put on hold, its node takes back, and what is being transferred, its transfer.
  (status) => status !== 'held' && status !== 'transferring',
);
