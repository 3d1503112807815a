import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { withDeadline } from '../../ops/deadline';
import type { Logger } from '../../ops/logger';
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

/** For each try of an accept, and for a look at a workflow. */
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

/**
 * `accepted`: the workflow has it and its row is stored. `expired`: its first task came too late, nothing was dialled.
 * `closed`: the id belongs to a call that is over. `unavailable`, `busy` (too many starts at once): nothing was done.
 * `unknown`: it may have been started.
 */
export type AcceptOutcome = 'accepted' | 'expired' | 'closed' | 'unavailable' | 'busy' | 'unknown';

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
}

/** What the API asks of the workflows of calls, within the time that who waits for an HTTP answer has. */
export class CallRequests {
  readonly #workflows: CallWorkflows;
  readonly #logger: Logger;
  readonly #commandDeadlineMs: number;
  readonly #startMs: number;
  /** Beyond what the server takes at once, only waiting grows. */
  readonly #starts: Semaphore;

  constructor(options: CallRequestsOptions) {
    this.#workflows = new CallWorkflows({ client: options.client, limitMs: LIMIT_MS });
    this.#logger = options.logger;
    this.#commandDeadlineMs = options.commandDeadlineMs ?? 10_000;
    this.#startMs = options.startMs ?? START_MS;
    this.#starts = new Semaphore(options.maxStarts ?? 16);
  }

  /** Once more with the same ids when the first try hits its deadline. Never throws. */
  async accept(input: OutboundCallInput, bodyHash: string | null): Promise<AcceptOutcome> {
    const first = await this.#acceptOnce(input, bodyHash);
    if (first !== 'unknown') return first;
    const second = await this.#acceptOnce(input, bodyHash);
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
        await sleep(CLOSING_RETRY_MS);
      }
    } catch (error) {
      if (temporalTrouble(error) === 'refused') return { outcome: 'unavailable' };
      return { outcome: this.#unclear(what, error) };
    }
  }

  async #acceptOnce(input: OutboundCallInput, bodyHash: string | null): Promise<AcceptOutcome> {
    if (!(await this.#starts.acquire({ maxWaitMs: MAX_WAIT_MS }))) return 'busy';
    const answer = this.#workflows.accept(input, bodyHash);
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

  #unclear(what: string, error: unknown): 'unknown' {
    this.#logger.warn({ err: error, request: what }, 'outcome of a workflow request is unknown');
    return 'unknown';
  }
}
