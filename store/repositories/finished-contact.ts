/** A campaign's call is over: its contact moves on, in the transaction that closes the call's record. */
import type { Disposition, EndedCall } from '../../contract/endings';
import { contactOutcome, countsForRetry } from '../campaigns/contact-outcome';
import type { ContactOutcome, ContactsCampaign } from '../campaigns/contact-outcome';
import type { PastAttempt } from '../campaigns/retry-plan';
import { Campaign } from '../entities/campaign';
import { jsonbParameter } from '../jsonb';
import { withTheEnd } from '../organisation-scope';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowTable } from '../rows';
import { IS_SUPPRESSED } from './campaign-contact-repository';
import { timestamp } from './call-row';

export interface CampaignCallRow {
  readonly id: string;
  readonly org_id: string;
  readonly campaign_id: string | null;
  readonly contact_id: string | null;
}

interface PastCall {
  readonly id: string;
  readonly disposition: PastAttempt['disposition'];
  /** Null: no INVITE can have left. */
  readonly dialledMs: number | null;
  readonly endedMs: number;
}

interface ContactRow extends Campaign {
  readonly phoneNumber: string;
  readonly contactZone: string | null;
  readonly past: readonly PastCall[];
  readonly optedOut: boolean;
  readonly suppressed: boolean;
  readonly refusal: string | null;
}

const LOCK_CONTACT = prepared(
  'SELECT FROM calls d JOIN campaign_contacts c ON c.id = d.contact_id WHERE d.id = $1 FOR NO KEY UPDATE OF c',
);

const NONE_LEFT = prepared(
  `UPDATE call_attempts SET state = 'not_sent', finished_at = now() WHERE call_id = $1 AND state = 'intended'`,
);

/** Stored so late that whoever gave the call up had not found it. */
const NOBODY_KNOWS = `UPDATE call_attempts SET state = 'uncertain' WHERE call_id = $1 AND state = 'intended'`;

/**
 * The dial was given up, and its attempt was not stored by then and never will be: no INVITE has left, and the record says so. A call
 * of no campaign may still be admitted by a node that stood still, and stays uncertain.
 */
const NEVER_ATTEMPTED = `
  WITH closed AS (UPDATE calls SET disposition = 'failed', sip_reason = $2 WHERE id = $1 RETURNING id)
  UPDATE call_events e SET data = e.data || jsonb_build_object('disposition', 'failed', 'reason', $2::text)
  FROM closed WHERE e.call_id = closed.id AND e.source = 'workflow' AND e.type = 'call.failed'`;
const NO_NODE_CAME_TO_IT = 'no media node had come to the attempt when the call was given up';

/** It was admitted, and then nothing left: a refusal of its own is a decision of its own. */
const NOT_DIALLED = prepared(`
  UPDATE contact_decisions SET dialled = false WHERE campaign_id = $1 AND contact_id = $2 AND call_id = $3 AND dialled`);

const CONTACT = (campaign: string): string => `
  SELECT ${campaign}, c.phone_number AS "phoneNumber", c.time_zone AS "contactZone",
    coalesce((SELECT json_agg(json_build_object('id', d.id, 'disposition', d.disposition,
        'endedMs', extract(epoch FROM d.ended_at) * 1000,
        'dialledMs', (SELECT extract(epoch FROM min(a.created_at)) * 1000 FROM call_attempts a
          WHERE a.call_id = d.id AND a.state <> 'not_sent')))
      FROM calls d WHERE d.contact_id = c.id AND d.campaign_id = k.id AND d.disposition IS NOT NULL
        AND (c.round_at IS NULL OR d.created_at >= c.round_at)), '[]') AS past,
    EXISTS (SELECT FROM call_events e WHERE e.call_id = $2 AND e.type = 'opted_out') AS "optedOut",
    ${IS_SUPPRESSED('c.org_id')} AS suppressed,
    CASE WHEN c.last_decision->>'call_id' = $2::text THEN c.last_decision->>'reason' END AS refusal
  FROM campaign_contacts c JOIN campaigns k ON k.id = c.campaign_id
  WHERE c.id = $1 AND c.call_id = $2 AND c.state = 'calling' FOR NO KEY UPDATE OF c`;

const MOVE = prepared(`
  UPDATE campaign_contacts SET state = $2, result = $3, due_at = $4, attempts = attempts + $5,
    last_disposition = coalesce($6, last_disposition), last_attempt_at = coalesce($7, last_attempt_at),
    last_decision = coalesce($8::jsonb, last_decision)
  WHERE id = $1`);

/**
 * Whoever takes a campaign's call for undialled is sure of it: an attempt that was only intended did not leave. To be said before
 * the call is closed, which counts it by its attempts; behind the contact's lock, so that a dial under way is stored or will not be.
 */
export async function noneLeft({ manager }: StoreSession, callId: string): Promise<void> {
  const contacts: unknown[] = await manager.query(LOCK_CONTACT, [callId]);
  if (contacts.length > 0) await manager.query(NONE_LEFT, [callId]);
}

/**
 * The contact is locked by now: a dial that is under way is stored, or is not admitted any more.
 * @returns false where the contact is not this call's (any more)
 */
export async function finishContact(
  session: StoreSession,
  call: CampaignCallRow,
  { ending, endedAtMs }: Pick<EndedCall, 'ending' | 'endedAtMs'>,
): Promise<boolean> {
  const { manager } = session;
  if (ending.disposition === 'uncertain') await manager.query(NOBODY_KNOWS, [call.id]);
  const { columns, read } = rowTable(manager, Campaign);
  const list = Object.entries(columns).map(([property, column]) => `k.${column} AS "${property}"`);
  const rows: ContactRow[] = await manager.query(prepared(CONTACT(list.join(', '))), [call.contact_id, call.id]);
  const [row] = rows;
  if (row === undefined) return false;
  const own = row.past.find(({ id }) => id === call.id);
  const dialledMs = own?.dialledMs ?? null;
  const outcome = contactOutcome(
    {
      phoneNumber: row.phoneNumber,
      timeZone: row.contactZone,
      past: row.past.flatMap(attemptOf),
      dialled: dialledMs !== null,
      optedOut: row.optedOut,
      suppressed: row.suppressed,
      refusal: row.refusal,
    },
    read(row) satisfies ContactsCampaign,
    ending,
    endedAtMs,
  );
  const dialled = dialledMs !== null;
  if (!dialled && ending.disposition === 'uncertain') {
    await manager.query(NEVER_ATTEMPTED, [call.id, NO_NODE_CAME_TO_IT]);
  }
  if (!dialled) await manager.query(NOT_DIALLED, [call.campaign_id, call.contact_id, call.id]);
  const tried = dialled || row.past.some((past) => past.dialledMs !== null);
  const next = outcome.done ? 'done' : tried ? 'waiting' : 'pending';
  const counted = countsForRetry(ending.disposition, dialled);
  const dialledAt = isoTime(dialledMs);
  const parameters = [
    call.contact_id,
    next,
    outcome.done ? outcome.result : null,
    outcome.done ? null : isoTime(outcome.dueAtMs),
    dialled ? 1 : 0,
    counted ? ending.disposition : null,
    dialledAt,
    dialledAt === null
      ? undialledNote(outcome, row, { callId: call.id, disposition: ending.disposition }, endedAtMs)
      : jsonbParameter({ at: dialledAt, called: true, call_id: call.id }),
  ];
  await withTheEnd(session, { text: MOVE, parameters });
  return true;
}

/** Why it is done; a refusal of the dial has been noted, and an earlier look says nothing of now. */
function undialledNote(
  outcome: ContactOutcome,
  { refusal }: Pick<ContactRow, 'refusal'>,
  { callId, disposition }: { readonly callId: string; readonly disposition: Disposition },
  nowMs: number,
): string | null {
  if (!outcome.done || refusal !== null) return null;
  const { result } = outcome;
  if (result !== 'suppressed' && result !== 'exhausted') return null;
  const [reason, detail] =
    result === 'suppressed'
      ? [result, 'The number has come onto a do-not-call list']
      : [disposition, 'Its last call came to nothing'];
  return jsonbParameter({ at: isoTime(nowMs), called: false, reason, detail, call_id: callId });
}

/** Of epoch milliseconds. */
const isoTime = (ms: number | null): string | null => timestamp(ms)?.toISOString() ?? null;

function attemptOf({ disposition, dialledMs, endedMs }: PastCall): PastAttempt[] {
  return countsForRetry(disposition, dialledMs !== null) ? [{ atMs: dialledMs ?? endedMs, disposition }] : [];
}
