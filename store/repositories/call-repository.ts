import type { CallStatus } from '../../contract/call';
import { wasAnswered } from '../../contract/endings';
import type { EndedCall } from '../../contract/endings';
import { statusesBefore } from '../call-status';
import { Call } from '../entities/call';
import { isUuid } from '../ids';
import { jsonbParameter, storableText } from '../jsonb';
import { inTransaction } from '../organisation-scope';
import type { StoreSession } from '../organisation-scope';
import type { Page } from '../page';
import { prepared } from '../prepared';
import { ownRow } from '../rows';
import { BEFORE_ANSWERED, PROJECT_ANSWERS } from './answered-calls';
import { listCalls } from './call-list';
import type { CallFilter } from './call-list';
import { CALL_BEGUN, callParameters, timestamp } from './call-row';
import type { NewCall } from './call-row';
import { finishContact, noneLeft } from './finished-contact';
import type { CampaignCallRow } from './finished-contact';
import { IS_HELD } from './held-calls';

export interface CallFacts {
  readonly nodeId?: string | null;
  readonly bootId?: string | null;
  readonly sipCallId?: string | null;
  /** Of several, the earliest stays: who learns late that a call was answered can only guess later. */
  readonly answeredAtMs?: number | null;
}

/** `missing`: no such row, nothing was written. */
export type FinaliseResult = 'finalised' | 'already_final' | 'missing';

/** The last attempt of a call that is over. `uncertain`: its INVITE may have left, and no node knows the call. */
export interface ClosedAttempt {
  readonly attemptId: string;
  readonly state: 'finished' | 'uncertain';
}

export interface Finalisation {
  /** It is certain that no INVITE has left; by default what is stored of its attempts tells. */
  readonly undialled?: boolean;
  readonly attempt?: ClosedAttempt | null;
}

export interface OpenCall {
  readonly callId: string;
  readonly nodeId: string | null;
  readonly bootId: string | null;
  readonly answeredAt: Date | null;
}

export interface MovedContactsListener {
  /** Returns at once, and never throws. */
  moved(campaignId: string): void;
}

const OPEN_PAGE = 1_000;
/** Before every UUID that was ever made. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** The projection of calls. Writers may repeat and arrive late: a row never moves back and a terminal one never moves. */
export class CallRepository {
  readonly #session: StoreSession;
  readonly #campaigns: MovedContactsListener | undefined;

  /** @param campaigns is told when a contact of a campaign has moved on */
  constructor(session: StoreSession, campaigns?: MovedContactsListener) {
    this.#session = session;
    this.#campaigns = campaigns;
  }

  /** The row and the first event of the workflow. Idempotent; true when this insertion made the row. */
  async insertCall(call: NewCall): Promise<boolean> {
    const rows: { made: boolean }[] = await this.#session.manager.query(BEGIN, callParameters(call));
    const before = statusesBefore('ringing');
    if (before.includes(call.status)) {
      // The node may have reported ringing before the row existed. Its writer stores the event first and then looks for
      // the row; this one stores the row first and then looks for the event: one of the two finds the other.
      await this.#session.manager.query(
        `UPDATE calls SET status = 'ringing' WHERE id = $1 AND status = ANY($2::text[])
           AND EXISTS (SELECT 1 FROM call_events WHERE call_id = $1 AND source = 'node' AND type = 'ringing')`,
        [call.id, before],
      );
    }
    // The same of an answer.
    if (BEFORE_ANSWERED.includes(call.status))
      await this.#session.manager.query(PROJECT_ANSWERS, [[call.id], BEFORE_ANSWERED]);
    return rows[0]?.made === true;
  }

  /**
   * Moves the row forward and fills in what is known now; a status that is not ahead of the row's changes only what
   * was unknown. False when there is no row or it is terminal.
   */
  async markStatus(callId: string, status: Exclude<CallStatus, 'completed'>, known: CallFacts = {}): Promise<boolean> {
    const [, count]: [unknown, number] = await this.#session.manager.query(MARK_STATUS, [
      callId,
      status,
      // What its node has put on hold, its node takes back, and what is being transferred, its transfer.
      statusesBefore(status).filter((earlier) => earlier !== 'held' && earlier !== 'transferring'),
      known.nodeId ?? null,
      known.bootId ?? null,
      known.sipCallId ?? null,
      timestamp(known.answeredAtMs),
    ]);
    return count === 1;
  }

  /** Which of these calls have ended, with all that their record has to say. */
  async completedOf(callIds: readonly string[]): Promise<string[]> {
    const rows: { id: string }[] = await this.#session.manager.query(
      'SELECT id FROM calls WHERE id = ANY($1::uuid[]) AND ended_at IS NOT NULL',
      [callIds],
    );
    return rows.map(({ id }) => id);
  }

  /** Of a call that waits: a row that is further stays as it is. Epoch ms. */
  async reschedule(callId: string, scheduledAtMs: number | null, expiresAtMs: number): Promise<void> {
    await this.#session.manager.query(
      `UPDATE calls SET scheduled_at = coalesce($2, scheduled_at), expires_at = $3
       WHERE id = $1 AND status IN ('scheduled', 'queued')`,
      [callId, timestamp(scheduledAtMs), timestamp(expiresAtMs)],
    );
  }

  /**
   * The terminal row, the terminal event, the state of its attempt and of a campaign's call what becomes of its contact in one
   * transaction, once; repeating it changes nothing.
   */
  async finaliseCall(
    call: EndedCall,
    { undialled = false, attempt = null }: Finalisation = {},
  ): Promise<FinaliseResult> {
    const { ending, truncated } = call;
    const { disposition, endReason, endedBy, sip } = ending;
    const reason = sip?.reason == null ? null : storableText(sip.reason);
    let campaignId: string | null = null;
    const result = await inTransaction<FinaliseResult>(this.#session, async (session) => {
      const { manager } = session;
      if (undialled) await noneLeft(session, call.callId);
      const rows: CampaignCallRow[] = await manager.query(FINALISE, [
        call.callId,
        disposition,
        endReason,
        endedBy,
        sip?.sipCallId ?? null,
        sip?.finalStatus ?? null,
        reason,
        sip?.q850 ?? null,
        timestamp(call.endedAtMs),
        timestamp(call.answeredAtMs),
        call.metrics ? jsonbParameter(call.metrics) : null,
        truncated,
        wasAnswered(ending) ? 'call.ended' : 'call.failed',
        jsonbParameter({ disposition, end_reason: endReason, ended_by: endedBy, reason, truncated }),
        attempt?.attemptId ?? null,
        attempt?.state ?? null,
      ]);
      const [row] = rows;
      if (row !== undefined) {
        if (row.campaign_id !== null && (await finishContact(session, row, call))) campaignId = row.campaign_id;
        return 'finalised';
      }
      return (await manager.existsBy(Call, { id: call.callId })) ? 'already_final' : 'missing';
    });
    if (campaignId !== null) this.#campaigns?.moved(campaignId);
    return result;
  }

  async find(orgId: string, callId: string): Promise<Call | null> {
    return isUuid(callId) ? ownRow(this.#session.manager, Call, { orgId, id: callId }) : null;
  }

  /** Newest first. */
  async list(orgId: string, filter: CallFilter = {}): Promise<Page<Call>> {
    return listCalls(this.#session.manager, orgId, filter);
  }

  /** Open calls of one boot of a node, or of all its boots but one. */
  async listOpenOnNode(nodeId: string, boot: string | { readonly exceptBootId: string }): Promise<OpenCall[]> {
    const [condition, bootId] =
      typeof boot === 'string' ? ['boot_id = $2', boot] : ['boot_id IS DISTINCT FROM $2', boot.exceptBootId];
    return this.#open(`node_id = $1 AND ${condition}`, [nodeId, bootId]);
  }

  /** Every open call begun more than `minAgeMs` ago: what the reconciler compares. */
  async listOpen(minAgeMs: number): Promise<OpenCall[]> {
    return this.#open(`created_at < now() - $1 * interval '1 millisecond'`, [minAgeMs]);
  }

  async countOpen(orgId: string): Promise<number> {
    const rows: { n: number }[] = await this.#session.manager.query(
      `SELECT count(*)::int AS n FROM calls WHERE org_id = $1 AND ended_at IS NULL`,
      [orgId],
    );
    return rows[0]?.n ?? 0;
  }

  async countOpenOnTrunk(orgId: string, trunkId: string): Promise<number> {
    const rows: { n: number }[] = await this.#session.manager.query(
      `SELECT count(*)::int AS n FROM calls WHERE org_id = $1 AND trunk_id = $2 AND ended_at IS NULL`,
      [orgId, trunkId],
    );
    return rows[0]?.n ?? 0;
  }

  /** Are the node's events 1…lastSeq all stored? */
  async recordsComplete(callId: string, lastSeq: number): Promise<boolean> {
    const rows: { n: number }[] = await this.#session.manager.query(
      prepared(
        `SELECT count(*)::int AS n FROM call_events WHERE call_id = $1 AND source = 'node' AND seq BETWEEN 1 AND $2`,
      ),
      [callId, lastSeq],
    );
    return rows[0]?.n === lastSeq;
  }

  /** When each of the calls was answered, as far as its node's events say; epoch ms. */
  async recordedAnswers(callIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (callIds.length === 0) return new Map();
    const rows: { call_id: string; at: Date }[] = await this.#session.manager.query(
      `SELECT call_id, min(at) AS at FROM call_events
       WHERE call_id = ANY($1) AND source = 'node' AND type = 'answered' GROUP BY call_id`,
      [callIds],
    );
    return new Map(rows.map(({ call_id, at }) => [call_id, at.getTime()]));
  }

  /** In pages, however many there are. Materialised: the few open calls are found before they are put in order. */
  async #open(condition: string, parameters: readonly unknown[]): Promise<OpenCall[]> {
    const all: OpenCall[] = [];
    for (let page: OpenCall[] | null = null; page === null || page.length === OPEN_PAGE; all.push(...page)) {
      page = await this.#session.manager.query<OpenCall[]>(
        `WITH open AS MATERIALIZED (
           SELECT id, node_id, boot_id, answered_at FROM calls WHERE ended_at IS NULL AND ${condition})
         SELECT id AS "callId", node_id AS "nodeId", boot_id AS "bootId", answered_at AS "answeredAt"
         FROM open WHERE id > $${parameters.length + 1} ORDER BY id LIMIT ${OPEN_PAGE}`,
        [...parameters, all.at(-1)?.callId ?? FIRST_ID],
      );
    }
    return all;
  }
}

const BEGIN = prepared(`WITH ${CALL_BEGUN} SELECT EXISTS (SELECT 1 FROM begun) AS made`);

const MARK_STATUS = prepared(
  `UPDATE calls SET
     status = CASE WHEN status <> ALL($3::text[]) THEN status WHEN $2 = 'in_progress' AND ${IS_HELD} THEN 'held' ELSE $2 END,
     node_id = coalesce($4, node_id), boot_id = coalesce($5, boot_id), sip_call_id = coalesce($6, sip_call_id),
     answered_at = least(answered_at, $7::timestamptz)
   WHERE id = $1 AND status <> 'completed'`,
);

/**
 * `completed` last: the row's lock orders finalisers, and only the first of them finds an open row. Before it the contact is
 * locked, in the order of the admission: whether there is an attempt the statements after this one ask, and so does its trigger.
 */
const FINALISE = prepared(`
  WITH contact AS MATERIALIZED (
    SELECT c.id FROM calls d JOIN campaign_contacts c ON c.id = d.contact_id WHERE d.id = $1 FOR NO KEY UPDATE OF c),
  done AS (
    UPDATE calls SET status = 'completed', disposition = $2, end_reason = $3, ended_by = $4,
      sip_call_id = coalesce($5, sip_call_id), sip_final_status = $6, sip_reason = $7, sip_q850 = $8,
      answered_at = least(answered_at, $10::timestamptz), ended_at = $9::timestamptz,
      duration_seconds = coalesce(greatest(0, round(extract(epoch FROM
        $9::timestamptz - least(answered_at, $10::timestamptz)))), 0)::int,
      metrics = $11::jsonb, truncated = $12
    WHERE id = $1 AND status <> 'completed' AND (SELECT count(*) FROM contact) >= 0
    RETURNING id, org_id, campaign_id, contact_id),
  tried AS (
    UPDATE call_attempts SET state = $16, finished_at = CASE WHEN $16 = 'finished' THEN now() ELSE finished_at END
    WHERE attempt_id = $15 AND (state IN ('intended', 'sent') OR (state = 'uncertain' AND $16 = 'finished'))),
  left_queue AS (DELETE FROM capacity_queue WHERE call_id = $1),
  noted AS (INSERT INTO call_events (call_id, source, seq, org_id, at, type, data)
  SELECT done.id, 'workflow',
    1 + (SELECT coalesce(max(seq), 0) FROM call_events WHERE call_id = $1 AND source = 'workflow'),
    done.org_id, $9::timestamptz, $13, $14::jsonb
  FROM done)
  SELECT id, org_id, campaign_id, contact_id FROM done`);
