import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { withDeadline } from '../../ops/deadline';
import type { Logger } from '../../ops/logger';
import type { Sleep } from '../../ops/retry';
import { Semaphore } from '../../ops/semaphore';
import type { OutboundCallInput } from '../../workflows/call/input';
import type {
  ControlRequest,
  ControlResult,
  RescheduleRequest,
  RescheduleResult,
  TransferAcceptance,
  TransferRequest,
} from '../../workflows/call/messages';
import { CallWorkflows } from '../../workflows/client/call-workflows';
import type { CallWorkflowDescription } from '../../workflows/client/call-workflows';
import { temporalTrouble } from '../../workflows/client/temporal-trouble';
import { temporalUnavailable } from '../errors';

/** For each try of a start, and for a look at a workflow. */
const LIMIT_MS = 2000;
/**
 * A start has its place no longer than this. What takes longer is the dial: a trunk that is slow to resolve keeps nobody
 * else's calls waiting, and 16 places make the 40 starts a second that an embedded server sustains.
 */
const START_MS = 400;
/** For a place among the starts. */
const MAX_WAIT_MS = 1000;
/** A workflow that is about to close takes no update for a moment: then it is closed, or goes on. */
const CLOSING_RETRY_MS = 50;

/** Pauses before each look for the row of a call that has been started, and between all further ones. */
const LOOK_AFTER_MS = [15, 10, 10, 15, 20, 30, 50] as const;
const LOOK_AGAIN_MS = 100;

/**
 * `accepted`: its workflow has begun, and the row is stored. `closed`: the id belongs to a call that is over.
 * `unavailable`, `busy` (too many starts at once): nothing was done. `unknown`: it may have been started.
 */
export type AcceptOutcome = 'accepted' | 'closed' | 'unavailable' | 'busy' | 'unknown';

/** `gone`: no running workflow has this call. `unavailable`: nothing was done. */
export type ControlAnswer = ControlResult | { readonly outcome: 'gone' | 'unavailable' };

export type TransferAnswer = TransferAcceptance | { readonly outcome: 'gone' | 'unavailable' | 'unknown' };

export type RescheduleAnswer = RescheduleResult | { readonly outcome: 'gone' | 'unavailable' | 'unknown' };

export interface CallRequestsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  readonly logger: Logger;
  /** How long the effect of a command is waited for. Default 10 000. */
  readonly commandDeadlineMs?: number;
  /** Default 16. */
  readonly maxStarts?: number;
  /** How long a start keeps its place at most. Default 400. */
  readonly startMs?: number;
  /** For tests. */
  readonly sleep?: Sleep;
}

/** What the API asks of the workflows of calls, within the time that who waits for an HTTP answer has. */
export class CallRequests {
  readonly #workflows: CallWorkflows;
  readonly #logger: Logger;
  readonly #commandDeadlineMs: number;
  readonly #startMs: number;
  readonly #sleep: Sleep;
  /** Beyond what the server takes at once, only waiting grows. */
  readonly #starts: Semaphore;

  constructor(options: CallRequestsOptions) {
    this.#workflows = new CallWorkflows({ client: options.client, limitMs: LIMIT_MS });
    this.#logger = options.logger;
    this.#commandDeadlineMs = options.commandDeadlineMs ?? 10_000;
    this.#startMs = options.startMs ?? START_MS;
    this.#sleep = options.sleep ?? sleepOnTimer;
    this.#starts = new Semaphore(options.maxStarts ?? 16);
  }

  /**
   * Once more with the same ids when the first try hits its deadline. Never throws.
   * @param isStored whether the call's row is there: only who has begun with the call writes it
   */
  async accept(
    input: OutboundCallInput,
    bodyHash: string | null,
    isStored: () => Promise<boolean>,
  ): Promise<AcceptOutcome> {
    const first = await this.#acceptOnce(input, bodyHash, isStored);
    if (first !== 'unknown') return first;
    const second = await this.#acceptOnce(input, bodyHash, isStored);
    // A refusal now says nothing about the first try.
    return second === 'unavailable' || second === 'busy' ? 'unknown' : second;
  }

  /**
   * Null when Temporal does not know the call.
   * @throws ApiError 503 when it cannot be asked
   */
  async describe(callId: string): Promise<CallWorkflowDescription | null> {
    try {
      return await this.#workflows.describe(callId);
    } catch (error) {
      throw temporalUnavailable(error);
    }
  }

  /** Answered when it took effect, which may take `longerMs` beyond what commands take. Never throws. */
  control(callId: string, request: ControlRequest, longerMs = 0): Promise<ControlAnswer> {
    return this.#update('command', (deadlineMs) => this.#workflows.control(callId, request, deadlineMs), longerMs);
  }

  /** Answered when it is stored. Never throws. */
  reschedule(callId: string, updateId: string, request: RescheduleRequest): Promise<RescheduleAnswer> {
    return this.#update('reschedule', (deadlineMs) =>
      this.#workflows.reschedule(callId, updateId, request, deadlineMs),
    );
  }

  /** Answered when it has begun. Never throws. */
  transfer(callId: string, request: TransferRequest): Promise<TransferAnswer> {
    return this.#update('transfer', (deadlineMs) => this.#workflows.transfer(callId, request, deadlineMs));
  }

  async #update<T extends object>(
    what: string,
    send: (deadlineMs: number) => Promise<T | 'gone' | 'closing'>,
    longerMs = 0,
  ): Promise<T | { readonly outcome: 'gone' | 'unavailable' | 'unknown' }> {
    const deadlineMs = Date.now() + this.#commandDeadlineMs + longerMs;
    try {
      for (;;) {
        const answer = await send(deadlineMs);
        if (answer === 'gone') return { outcome: 'gone' };
        if (answer !== 'closing') return answer;
        if (Date.now() >= deadlineMs) return { outcome: 'unavailable' };
        await this.#sleep(CLOSING_RETRY_MS, undefined, {});
      }
    } catch (error) {
      if (temporalTrouble(error) === 'refused') return { outcome: 'unavailable' };
      return { outcome: this.#unclear(what, error) };
    }
  }

  async #acceptOnce(
    input: OutboundCallInput,
    bodyHash: string | null,
    isStored: () => Promise<boolean>,
  ): Promise<AcceptOutcome> {
    if (!(await this.#starts.acquire({ maxWaitMs: MAX_WAIT_MS }))) return 'busy';
    const answer = this.#begin(input, bodyHash, isStored);
    const leave = (): void => this.#starts.release();
    withDeadline(answer, this.#startMs).then(leave, leave);
    try {
      return await answer;
    } catch (error) {
      const trouble = temporalTrouble(error);
      if (trouble !== 'refused' && trouble !== 'closing') return this.#unclear('start', error);
      this.#logger.warn({ err: error }, 'start of a call was turned away');
      return 'unavailable';
    }
  }

  async #begin(
    input: OutboundCallInput,
    bodyHash: string | null,
    isStored: () => Promise<boolean>,
  ): Promise<'accepted' | 'closed' | 'unknown'> {
    const deadlineMs = Date.now() + LIMIT_MS;
    const memo = bodyHash === null ? {} : { bodyHash };
    if ((await this.#workflows.startOutbound(input, { deadlineMs, ...memo })) === 'exists') return 'closed';
    // No word of the workflow itself: it would have to be told first that somebody waits, and then to answer.
    for (let look = 0; Date.now() < deadlineMs; look++) {
      await this.#sleep(LOOK_AFTER_MS[look] ?? LOOK_AGAIN_MS, undefined, {});
      // While PostgreSQL is away it is not known.
      if (await isStored().catch(() => false)) return 'accepted';
    }
    return this.#unclear('start', new Error('no row of the call in time'));
  }

  #unclear(what: string, error: unknown): 'unknown' {
    this.#logger.warn({ err: error, request: what }, 'outcome of a workflow request is unknown');
    return 'unknown';
  }
}
