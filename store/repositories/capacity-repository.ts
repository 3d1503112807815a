/**
 * The ledger of capacity (`1764601750000-admission-at-one-look.ts`, whose functions decide): who may send an INVITE over an
 * outbound trunk, and when. Each question is one statement, and the rows it is decided by are locked in it.
 */
import { NODE_LEASE_MS } from '../../contract/capacity';
import type { CapacityReason, CapacityWait } from '../../contract/capacity';
import type { NodeBoot } from '../../contract/nodes';
import { StoreError } from '../errors';
import { uuidV7 } from '../ids';
import type { StoredCheck } from '../entities/contact-decision';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { CALL_BEGUN, callParameters, timestamp } from './call-row';
import type { NewCall } from './call-row';

export interface IntendedAttempt extends NodeBoot {
  readonly attemptId: string;
  readonly call: NewCall;
  readonly n: number;
  readonly sipCallId: string;
}

/** Of a campaign's call: what it was claimed by, and what was checked before the INVITE. */
export interface CampaignAdmission {
  readonly campaignId: string;
  readonly contactId: string;
  readonly version: number;
  readonly checks: readonly StoredCheck[];
}

export interface CapacityHolder {
  readonly leaseId: string;
  readonly orgId: string;
  readonly trunkId: string;
  readonly campaignId?: string | null;
}

/**
 * A slot that was taken: the INVITE leaves in `waitMs`, and `spacingMs` after the one before it; null: the trunk's calls per
 * second are not limited. Or none was, and no turn.
 */
export type CapacityAdmission =
  | { readonly ok: true; readonly waitMs: number; readonly spacingMs: number | null }
  | ({ readonly ok: false } & CapacityWait);

/** Of a campaign's call also: it is not wanted any more, for this reason. */
export type CampaignAnswer = CapacityAdmission | { readonly ok: false; readonly refusal: string };

export interface CapacityTurn {
  /** Of boots that are gone, and of this one what it does not know of: to be released. */
  readonly abandoned: readonly string[];
  /** Calls that wait although there is room: to be called. */
  readonly waiting: readonly string[];
}

export interface CapacityPlace {
  readonly reason: CapacityReason;
  /** From 1. */
  readonly position: number;
  readonly retryAt: Date | null;
}

export interface CapacityInUse {
  readonly trunkId: string;
  readonly leases: number;
  readonly waiting: number;
}

interface Decision {
  readonly reason: CapacityReason | null;
  readonly waitMs: number;
  readonly spacingMs: number | null;
  readonly retryInMs: number | null;
}

/** In each question the trunk is the fourth parameter. */
const DECISION = `reason, wait_ms AS "waitMs", retry_in_ms AS "retryInMs",
  (SELECT 1000 / t.max_calls_per_second::float8 FROM outbound_trunks t WHERE t.id = $4) AS "spacingMs"`;

export class CapacityRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * Right before the INVITE of a call: a slot, a turn within `aheadMs` and the attempt, or nothing of these, and the call is
   * queued. Its row is there afterwards, should its workflow not have written it yet. An attempt is begun once: whoever finds it begun must not send.
   * @throws StoreError `attempt_exists`; then the attempt's slot is released by whoever has it
   */
  async admitCall(
    { attemptId, call, n, sipCallId, nodeId, bootId }: IntendedAttempt,
    aheadMs: number,
  ): Promise<CapacityAdmission> {
    const rows: (Decision & { readonly begun: boolean })[] = await this.#session.manager.query(ADMIT_CALL, [
      ...callParameters(call),
      attemptId,
      n,
      sipCallId,
      nodeId,
      bootId,
      aheadMs,
    ]);
    const [decided] = rows;
    if (decided === undefined || (decided.reason === null && !decided.begun)) {
      throw new StoreError('attempt_exists', 'the attempt was begun before', { attemptId, callId: call.id, n });
    }
    return admissionOf(decided);
  }

  /**
   * The same of a campaign's call, in one statement with its decision, which is the evidence. What it was claimed by is asked
   * once more behind the ledger's locks: a pause that was committed before leaves no INVITE.
   * @param atMs for a simulated clock, epoch ms; null: PostgreSQL's
   * @throws StoreError as `admitCall`
   */
  async admitCampaignCall(
    { attemptId, call, n, sipCallId, nodeId, bootId }: IntendedAttempt,
    { campaignId, contactId, version, checks }: CampaignAdmission,
    aheadMs: number,
    atMs: number | null = null,
  ): Promise<CampaignAnswer> {
    const attempt = [attemptId, n, sipCallId, nodeId, bootId, aheadMs];
    const evidence = [timestamp(atMs), uuidV7(atMs ?? Date.now()), jsonbParameter(checks)];
    const campaign = [campaignId, contactId, version, ...evidence];
    const rows: (Decision & { readonly refusal: string | null; readonly begun: boolean })[] =
      await this.#session.manager.query(ADMIT_CAMPAIGN_CALL, callParameters(call).concat(attempt, campaign));
    const [decided] = rows;
    if (decided?.refusal != null) return { ok: false, refusal: decided.refusal };
    if (decided === undefined || (decided.reason === null && !decided.begun)) {
      throw new StoreError('attempt_exists', 'the attempt was begun before', { attemptId, callId: call.id, n });
    }
    return admissionOf(decided);
  }

  /** Why a campaign's call that was admitted a moment ago is not wanted any more; null: it is. */
  async campaignRefusal(
    callId: string,
    { campaignId, contactId, version }: CampaignAdmission,
    atMs: number | null = null,
  ): Promise<string | null> {
    const rows: { refusal: string | null }[] = await this.#session.manager.query(
      prepared('SELECT refuse_campaign_call($1, $2, $3, $4, coalesce($5, clock_timestamp())) AS refusal'),
      [campaignId, version, contactId, callId, timestamp(atMs)],
    );
    return rows[0]?.refusal ?? null;
  }

  /** For a further leg of a call, which waits in no queue. */
  async admitLeg(
    { leaseId, orgId, trunkId }: CapacityHolder,
    boot: NodeBoot,
    aheadMs: number,
  ): Promise<CapacityAdmission> {
    return this.#take([leaseId, null, orgId, trunkId, boot.nodeId, boot.bootId, aheadMs]);
  }

  /** A turn for one more INVITE of who has a slot already. */
  async takeTurn({ orgId, trunkId }: Omit<CapacityHolder, 'leaseId'>, aheadMs: number): Promise<CapacityAdmission> {
    return this.#take([null, null, orgId, trunkId, null, null, aheadMs]);
  }

  /**
   * No INVITE leaves for so long; one that said longer before stays.
   * @param atMs for a simulated clock, epoch ms; null: PostgreSQL's
   */
  async coolDown(trunkId: string, ms: number, atMs: number | null = null): Promise<void> {
    await this.#session.manager.query(
      `INSERT INTO trunk_capacity AS c (trunk_id, org_id, cool_until)
       SELECT id, org_id, coalesce($3, clock_timestamp()) + $2 * interval '1 millisecond' FROM outbound_trunks WHERE id = $1
       ON CONFLICT (trunk_id) DO UPDATE SET cool_until = greatest(c.cool_until, excluded.cool_until)`,
      [trunkId, ms, timestamp(atMs)],
    );
  }

  /** Gives a slot back; answers the calls that it is time to call. Repeating it changes nothing. */
  async release(leaseId: string): Promise<string[]> {
    const rows: { callId: string }[] = await this.#session.manager.query(
      prepared('SELECT release_capacity AS "callId" FROM release_capacity($1)'),
      [leaseId],
    );
    return rows.map(({ callId }) => callId);
  }

  /** The call is over; answers those that it is time to call instead. */
  async leaveQueue(callId: string): Promise<string[]> {
    const rows: { callId: string }[] = await this.#session.manager.query(
      `WITH gone AS (DELETE FROM capacity_queue WHERE call_id = $1 RETURNING trunk_id, org_id, campaign_id)
       SELECT called AS "callId" FROM gone, call_waiting(gone.trunk_id, gone.org_id, gone.campaign_id) AS called`,
      [callId],
    );
    return rows.map((row) => row.callId);
  }

  /**
   * What a boot holds is stored again, should somebody have taken it for lost. `watching`: whoever asks has seen the
   * database without interruption for longer than `NODE_LEASE_MS`, so that a boot without a sign of life is gone and was
   * not merely cut off from it as everybody was.
   */
  async hold(
    { nodeId, bootId }: NodeBoot,
    held: readonly CapacityHolder[],
    { watching }: { readonly watching: boolean },
  ): Promise<CapacityTurn> {
    const columns = [
      held.map(({ leaseId }) => leaseId),
      held.map(({ orgId }) => orgId),
      held.map((one) => one.trunkId),
      held.map(({ campaignId }) => campaignId ?? null),
    ];
    const rows: CapacityTurn[] = await this.#session.manager.query(HOLD, [nodeId, bootId, ...columns, watching]);
    return rows[0] ?? { abandoned: [], waiting: [] };
  }

  /** Where calls stand in the queue; those that do not wait are missing. */
  async places(orgId: string, callIds: readonly string[]): Promise<ReadonlyMap<string, CapacityPlace>> {
    const rows: (CapacityPlace & { readonly callId: string })[] = await this.#session.manager.query(
      `SELECT q.call_id AS "callId", q.reason, q.retry_at AS "retryAt", (
         SELECT count(*)::int FROM capacity_queue b WHERE (b.queued_at, b.call_id) <= (q.queued_at, q.call_id) AND b.org_id = q.org_id
           AND CASE WHEN q.reason LIKE 'trunk%' THEN b.trunk_id = q.trunk_id AND b.reason LIKE 'trunk%'
             WHEN q.reason LIKE 'campaign%' THEN b.campaign_id = q.campaign_id AND b.reason LIKE 'campaign%'
             ELSE b.reason LIKE 'organisation%' END) AS position
       FROM capacity_queue q WHERE q.org_id = $1 AND q.call_id = ANY($2::uuid[])`,
      [orgId, callIds],
    );
    return new Map(rows.map(({ callId, ...place }) => [callId, place]));
  }

  /** Of trunks that carry calls or have some waiting. */
  async inUse(): Promise<CapacityInUse[]> {
    return this.#session.manager.query(
      `SELECT coalesce(l.trunk_id, q.trunk_id) AS "trunkId", coalesce(l.n, 0)::int AS leases, coalesce(q.n, 0)::int AS waiting
       FROM (SELECT trunk_id, count(*) AS n FROM capacity_leases GROUP BY trunk_id) l
       FULL JOIN (SELECT trunk_id, count(*) AS n FROM capacity_queue GROUP BY trunk_id) q ON q.trunk_id = l.trunk_id`,
    );
  }

  async #take(parameters: readonly unknown[]): Promise<CapacityAdmission> {
    const rows: Decision[] = await this.#session.manager.query(
      `SELECT ${DECISION} FROM decide_capacity(NULL, $1, $2, $3, $4, $5, $6, $7)`,
      [...parameters],
    );
    if (rows[0] === undefined) throw new Error('decide_capacity gives one row');
    return admissionOf(rows[0]);
  }
}

const ADMIT_CALL = prepared(`
  WITH ${CALL_BEGUN}, decided AS MATERIALIZED (
    SELECT * FROM decide_capacity(NULL, $24, $1, $2, $4, $27, $28, $29)
    WHERE NOT EXISTS (SELECT FROM call_attempts WHERE attempt_id = $24 OR (call_id = $1 AND n = $25))),
  attempt AS (
    INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id, queued_at)
    SELECT $24, $1, $2, $25, 'intended', $26, $27, $28, place FROM decided WHERE reason IS NULL
    ON CONFLICT DO NOTHING RETURNING attempt_id),
  due AS (
    UPDATE calls SET status = 'queued' FROM decided
    WHERE calls.id = $1 AND calls.status = 'scheduled' AND decided.reason IS NOT NULL)
  SELECT ${DECISION}, EXISTS (SELECT FROM attempt) AS begun FROM decided`);

const ADMIT_CAMPAIGN_CALL = prepared(`
  WITH ${CALL_BEGUN}, decided AS MATERIALIZED (
    SELECT * FROM decide_capacity($33, $24, $1, $2, $4, $27, $28, $29, $30, $31, $32)
    WHERE NOT EXISTS (SELECT FROM call_attempts WHERE attempt_id = $24 OR (call_id = $1 AND n = $25))),
  attempt AS (
    INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id, created_at, queued_at)
    SELECT $24, $1, $2, $25, 'intended', $26, $27, $28, coalesce($33, now()), place FROM decided
    WHERE reason IS NULL AND refusal IS NULL ON CONFLICT DO NOTHING RETURNING attempt_id),
  decision AS (
    INSERT INTO contact_decisions (id, org_id, campaign_id, contact_id, call_id, at, dialled, checks)
    SELECT $34, $2, $30, $31, $1, coalesce($33, now()), true, $35::jsonb FROM attempt)
  SELECT ${DECISION}, refusal, EXISTS (SELECT FROM attempt) AS begun FROM decided`);

const HOLD = `
  WITH held AS (SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[])
    AS h (lease_id, org_id, trunk_id, campaign_id)),
  asserted AS (
    INSERT INTO capacity_leases (lease_id, org_id, trunk_id, campaign_id, node_id, boot_id)
    SELECT lease_id, org_id, trunk_id, campaign_id, $1, $2 FROM held ON CONFLICT DO NOTHING)
  SELECT ARRAY(
    SELECT l.lease_id FROM capacity_leases l WHERE CASE WHEN l.node_id = $1 AND l.boot_id = $2
      -- Its owner never heard that it was taken.
      THEN l.taken_at < clock_timestamp() - interval '10 seconds' AND l.lease_id NOT IN (SELECT lease_id FROM held)
      ELSE NOT EXISTS (SELECT FROM media_nodes m WHERE m.node_id = l.node_id AND m.boot_id = l.boot_id
        AND m.lost_at IS NULL
        AND (NOT $7 OR m.last_seen > clock_timestamp() - interval '${NODE_LEASE_MS} milliseconds')) END)::text[] AS abandoned,
    ARRAY(
      SELECT DISTINCT called FROM (SELECT DISTINCT trunk_id, org_id, campaign_id FROM capacity_queue) q,
        call_waiting(q.trunk_id, q.org_id, q.campaign_id) AS called)::text[] AS waiting`;

function admissionOf({ reason, waitMs, spacingMs, retryInMs }: Decision): CapacityAdmission {
  return reason === null ? { ok: true, waitMs, spacingMs } : { ok: false, reason, retryInMs };
}
