/** SIP outcome → disposition: the one place where a status becomes the word of the call's record. */
import type { Disposition } from '../../contract/endings';
import type { FinalAnswer, InviteOutcome } from '../sip/invite';

/** Why we ended a dial ourselves: our CANCEL on request, or because nobody picked up. */
export type OwnCause = 'canceled' | 'ring_timeout';

interface Row {
  readonly statuses: readonly number[];
  /** ITU-T Q.850 causes that say the same. */
  readonly causes: readonly number[];
}

/** One row per disposition that a refusal can have; no status and no cause stands in two. */
const ROWS: Readonly<Partial<Record<Disposition, Row>>> = {
  busy: { statuses: [486, 600], causes: [17] },
  no_answer: { statuses: [480], causes: [18, 19, 20, 31] },
  trunk_timeout: { statuses: [408, 504], causes: [] },
  invalid_number: { statuses: [404, 410, 484, 485, 604], causes: [1, 22, 28] },
  rejected: { statuses: [603], causes: [21] },
  blocked: { statuses: [607, 608], causes: [] },
  trunk_denied: { statuses: [401, 403, 407], causes: [57] },
  congestion: { statuses: [500, 502, 503], causes: [27, 34, 38, 41, 42, 47] },
  media_incompatible: { statuses: [415, 488, 606], causes: [65, 88] },
  routing_loop: { statuses: [482, 483], causes: [] },
  identity_rejected: { statuses: [428, 436, 437, 438], causes: [] },
};

const BY_STATUS = inverted('statuses');
const BY_Q850 = inverted('causes');

const Q850_CALL_REJECTED = 21;

const rang = (provisional: number | null): boolean => provisional !== null && provisional >= 180;

/**
 * How a dial went. `outcome` is the final answer to the INVITE or why none came; null when our CANCEL was never
 * answered. `own` is our reason for having ended it, null when we had not.
 */
export function dispositionOf(outcome: InviteOutcome | null, own: OwnCause | null): Disposition {
  const ours: Disposition | null = own === 'ring_timeout' ? 'no_answer' : own;
  if (!outcome) return ours ?? 'failed';
  if (outcome.kind === 'unreachable') return ours ?? 'trunk_unreachable';
  if (outcome.kind === 'timeout') {
    if (ours) return ours;
    if (outcome.provisional === null) return 'trunk_unreachable';
    return rang(outcome.provisional) ? 'no_answer' : 'trunk_timeout';
  }
  const { status } = outcome;
  // A 2xx or 487 that crosses our CANCEL, or a challenge that we answered no more: the call went the way we decided
  // (RFC 3261 §9.1).
  if (status < 300) return ours ?? 'answered';
  if (ours && (status === 487 || isChallenge(status))) return ours;
  return refusal(outcome);
}

/**
 * Gateways keep what the network or the callee said in `Reason: Q.850` (RFC 3326) and answer with whatever status they
 * have at hand, so the cause decides where it is listed. A challenge and a 5xx speak of the hop that sent them.
 */
function refusal({ status, reason, q850, provisional }: FinalAnswer): Disposition {
  if (status < 400) return 'redirect';
  const known = byStatus(status, reason, provisional);
  const byCause = q850 === null ? undefined : BY_Q850.get(q850);
  if (known === null) return byCause ?? (status >= 600 ? 'rejected' : 'failed');
  if (byCause === undefined || isChallenge(status) || (status >= 500 && status < 600)) return known;
  // "Call rejected" is the cause that blocking carriers give too: their status says more.
  if (known === 'blocked' && q850 === Q850_CALL_REJECTED) return known;
  return byCause;
}

/** Null for a status that says nothing by itself. */
function byStatus(status: number, reason: string, provisional: number | null): Disposition | null {
  if ((status === 408 || status === 487) && rang(provisional)) return 'no_answer';
  if (status === 603 && /network blocked/i.test(reason)) return 'blocked';
  return BY_STATUS.get(status) ?? null;
}

function isChallenge(status: number): boolean {
  return status === 401 || status === 407;
}

function inverted(key: keyof Row): ReadonlyMap<number, Disposition> {
  const rows = Object.entries(ROWS) as [Disposition, Row][];
  return new Map(rows.flatMap(([disposition, row]) => row[key].map((code) => [code, disposition] as const)));
}
