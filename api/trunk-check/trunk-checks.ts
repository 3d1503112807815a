/** The check of a trunk from an accepted request to what the media nodes have found. */
import type { Logger } from '../../ops/logger';
import { uuidV7 } from '../../store/ids';
import { openCheck, sealCheck } from '../../store/sealed-check';
import type { SealedCheckRequest } from '../../store/sealed-check';
import type { SecretBox } from '../../store/secrets';
import { temporalTrouble } from '../../workflows/client/temporal-trouble';
import type { TrunkCheckWorkflows } from '../../workflows/client/trunk-check-workflows';
import type { TrunkCheckInput, TrunkCheckOutcome } from '../../workflows/trunk-check/messages';
import { ApiError, conflict, unavailable, temporalUnavailable } from '../errors';
import type { Actor } from '../route';
import type { OrgStore } from '../store';

/** Of one trunk. A check may call somebody, and always knocks at a door. */
const RATE = { most: 6, seconds: 60 };
/** What no node has begun by then is not begun any more. */
const BEGIN_WITHIN_MS = 8_000;

export interface TrunkChecksDeps {
  readonly workflows: Pick<TrunkCheckWorkflows, 'check'>;
  readonly secrets: Pick<SecretBox, 'seal' | 'open'>;
  readonly logger: Logger;
}

interface CheckedTrunk {
  readonly kind: TrunkCheckInput['kind'];
  readonly trunkId: string;
}

/** One node's words, opened. */
export interface NodeFindings<Findings> {
  readonly nodeId: string;
  readonly findings: Findings;
}

export interface CheckFindings<Findings> {
  readonly checkId: string;
  /** By node id. */
  readonly nodes: readonly NodeFindings<Findings>[];
  /** Nodes that live and did not answer. */
  readonly silent: readonly string[];
  /** Nodes that do not act on the trunk yet. */
  readonly unknowing: number;
}

/** What a check may be answered with beside its success. */
export const CHECK_ERRORS = {
  409: ['check_in_progress'],
  429: ['too_many_checks'],
  503: ['media_unavailable', 'temporal_unavailable', 'outcome_unknown'],
} as const;

export class TrunkChecks {
  readonly #deps: TrunkChecksDeps;

  constructor(deps: TrunkChecksDeps) {
    this.#deps = deps;
  }

  /**
   * In the transaction that looks the trunk up: the check is in the audit log before anybody is called.
   * @throws ApiError 429 `too_many_checks`
   */
  async admit(
    org: Pick<OrgStore, 'audit'>,
    actor: Actor,
    { kind, trunkId }: CheckedTrunk,
    asked: { readonly test_number?: string | null } = {},
  ): Promise<void> {
    const note = { action: 'check', resource: `${kind}_trunk`, resourceId: trunkId, after: asked };
    const retryAfterSeconds = await org.audit.addWithin({ ...actor, ...note }, RATE);
    if (retryAfterSeconds === 0) return;
    const message = `A trunk is checked ${RATE.most} times a minute at most`;
    throw new ApiError(429, 'too_many_checks', message, { retryAfterSeconds });
  }

  /**
   * One that was admitted.
   * @throws ApiError 409 `check_in_progress`, 503
   */
  async run<Findings extends object>(
    orgId: string,
    { kind, trunkId }: CheckedTrunk,
    request: SealedCheckRequest,
  ): Promise<CheckFindings<Findings>> {
    const { secrets } = this.#deps;
    const identity = { checkId: uuidV7(), orgId };
    const sealed = sealCheck(secrets, identity, request);
    const outcome = await this.#ask({ ...identity, kind, trunkId, sealed, beginByMs: Date.now() + BEGIN_WITHIN_MS });
    const { reports, silent, refusals } = outcome;
    const unknowing = refusals.filter((refusal) => refusal === 'unknown_trunk').length;
    if (reports.length === 0 && kind === 'outbound') throw this.#unanswered(outcome, unknowing);
    if (reports.length === 0 && silent.length === 0 && unknowing === 0) throw noNode();
    const opened = reports.map((report) => ({
      nodeId: report.nodeId,
      findings: openCheck<Findings>(secrets, identity, report.sealed),
    }));
    return { ...identity, nodes: opened, silent, unknowing };
  }

  #unanswered({ silent }: TrunkCheckOutcome, unknowing: number): ApiError {
    if (silent.length > 0) {
      return unavailable(
        'outcome_unknown',
        'The media node that looked at the trunk was lost; a test call may have been placed',
      );
    }
    if (unknowing === 0) return noNode();
    return unavailable('media_unavailable', 'The media nodes do not act on this trunk yet; nothing was done');
  }

  async #ask(input: TrunkCheckInput): Promise<TrunkCheckOutcome> {
    let outcome: TrunkCheckOutcome | 'running';
    try {
      outcome = await this.#deps.workflows.check(input);
    } catch (error) {
      if (temporalTrouble(error) === 'refused') {
        throw temporalUnavailable(error);
      }
      this.#deps.logger.warn({ err: error, trunkId: input.trunkId }, 'what came of the check of a trunk is unknown');
      throw unavailable('outcome_unknown', 'The check was not answered in time; it ends by itself', error);
    }
    if (outcome === 'running') throw conflict('check_in_progress', 'This trunk is being checked; wait for that answer');
    return outcome;
  }
}

const noNode = (): ApiError => unavailable('media_unavailable', 'No media node took the check; nothing was done');
