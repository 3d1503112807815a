import { setTimeout as sleep } from 'node:timers/promises';
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { Client, Connection } from '@temporalio/client';
import type { HangupCause } from '../../contract/endings';
import type { Logger } from '../../ops/logger';
import type { CallInput, CallMemo, OutboundCallInput } from '../../workflows/call/input';
import { acceptUpdate, hangupUpdate } from '../../workflows/call/messages';
import { callStartOptions } from '../../workflows/call/start-options';
import { callWorkflowId } from '../../workflows/ids';
import { unavailable } from '../errors';
import type { AcceptOutcome, CallWorkflowDescription, CallWorkflows, HangupOutcome } from './call-workflows';
import { StartGate } from './start-gate';
import { temporalTrouble } from './temporal-error';

/** The workflow is named, not imported: its code belongs to the worker's bundle. */
const CALL_WORKFLOW = 'callWorkflow';
/** One accepting update per call: a repeat with the same ids joins the first. */
const ACCEPT_UPDATE_ID = 'accept';
/**
 * A start has its place no longer than this. What takes longer is the dial: a trunk that is slow to resolve keeps nobody
 * else's calls waiting, and 16 places make the 40 starts a second that an embedded server sustains.
 */
const START_MS = 400;
/** A workflow that is about to close takes no update for a moment: then it is closed, or goes on. */
const CLOSING_RETRY_MS = 50;

export interface TemporalCallsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  readonly connection: Connection;
  readonly logger: Logger;
  /** For each of the two tries. Default 2000. */
  readonly acceptDeadlineMs?: number;
  /** Default 10 000. */
  readonly hangupDeadlineMs?: number;
  /** Default 16. */
  readonly maxStarts?: number;
  /** How long a start keeps its place at most. Default 400. */
  readonly startMs?: number;
}

export class TemporalCalls implements CallWorkflows {
  readonly #client: Client;
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #acceptDeadlineMs: number;
  readonly #hangupDeadlineMs: number;
  readonly #startMs: number;
  readonly #gate: StartGate;

  constructor(options: TemporalCallsOptions) {
    this.#client = options.client;
    this.#connection = options.connection;
    this.#logger = options.logger;
    this.#acceptDeadlineMs = options.acceptDeadlineMs ?? 2000;
    this.#hangupDeadlineMs = options.hangupDeadlineMs ?? 10_000;
    this.#startMs = options.startMs ?? START_MS;
    this.#gate = new StartGate({ limit: options.maxStarts ?? 16, maxWaitMs: 1000 });
  }

  async accept(input: OutboundCallInput, bodyHash: string | null): Promise<AcceptOutcome> {
    const first = await this.#acceptOnce(input, bodyHash);
    if (first !== 'unknown') return first;
    const second = await this.#acceptOnce(input, bodyHash);
    // A refusal now says nothing about the first try.
    return second === 'unavailable' || second === 'busy' ? 'unknown' : second;
  }

  async describe(callId: string): Promise<CallWorkflowDescription | null> {
    try {
      const handle = this.#client.workflow.getHandle(callWorkflowId(callId));
      const found = await this.#within(this.#acceptDeadlineMs, () => handle.describe());
      return { bodyHash: (found.memo as CallMemo | undefined)?.bodyHash ?? null };
    } catch (error) {
      if (isNotFound(error)) return null;
      throw unavailable('temporal_unavailable', 'The workflow service is not reachable; nothing was done', error);
    }
  }

  async hangup(callId: string, updateId: string, request: HangupCause): Promise<HangupOutcome> {
    const deadlineMs = Date.now() + this.#hangupDeadlineMs;
    for (;;) {
      const outcome = await this.#hangupOnce(callId, updateId, request, deadlineMs);
      if (outcome !== 'closing') return outcome;
      if (Date.now() >= deadlineMs) return 'unavailable';
      await sleep(CLOSING_RETRY_MS);
    }
  }

  async #hangupOnce(
    callId: string,
    updateId: string,
    request: HangupCause,
    deadlineMs: number,
  ): Promise<HangupOutcome | 'closing'> {
    try {
      const handle = this.#client.workflow.getHandle(callWorkflowId(callId));
      await this.#connection.withDeadline(deadlineMs, () =>
        handle.executeUpdate(hangupUpdate, { args: [request], updateId }),
      );
      return 'done';
    } catch (error) {
      const trouble = temporalTrouble(error);
      if (trouble === 'closing') return trouble;
      if (isNotFound(error)) return 'gone';
      // The workflow ended while the update was under way, or refused it.
      if (error instanceof WorkflowUpdateFailedError) return 'refused';
      return trouble === 'refused' ? 'unavailable' : this.#unclear('hang-up', error);
    }
  }

  async #acceptOnce(input: OutboundCallInput, bodyHash: string | null): Promise<AcceptOutcome> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: CallInput) => Promise<unknown>>(
      CALL_WORKFLOW,
      callStartOptions(input, bodyHash === null ? {} : { bodyHash }),
    );
    // Also rejected when the update fails; its error arrives there.
    startWorkflowOperation.workflowHandle().catch(() => undefined);
    try {
      const begun = await this.#gate.run(async () => {
        const answer = this.#within(this.#acceptDeadlineMs, () =>
          this.#client.workflow.executeUpdateWithStart(acceptUpdate, {
            updateId: ACCEPT_UPDATE_ID,
            startWorkflowOperation,
          }),
        );
        await Promise.race([answer.catch(() => undefined), sleep(this.#startMs, undefined, { ref: false })]);
        return { answer };
      });
      if (begun === undefined) return 'busy';
      const result = await begun.value.answer;
      return result.accepted ? 'accepted' : 'expired';
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'closed';
      if (error instanceof WorkflowUpdateFailedError || isNotFound(error)) return 'expired';
      const trouble = temporalTrouble(error);
      if (trouble !== 'refused' && trouble !== 'closing') return this.#unclear('start', error);
      this.#logger.warn({ err: error }, 'start of a call was turned away');
      return 'unavailable';
    }
  }

  #within<T>(limitMs: number, call: () => Promise<T>): Promise<T> {
    return this.#connection.withDeadline(Date.now() + limitMs, call);
  }

  #unclear(what: string, error: unknown): 'unknown' {
    this.#logger.warn({ err: error, request: what }, 'outcome of a workflow request is unknown');
    return 'unknown';
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || temporalTrouble(error) === 'not_found';
}
