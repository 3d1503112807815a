/** The workflows of calls, seen from outside: who starts them, tells them something or asks for them does it here. */
import type { Client } from '@temporalio/client';
import type { NodeBoot } from '../../contract/nodes';
import type { CallInput, CallMemo, InboundCallInput, OutboundCallInput } from '../call/input';
import {
  callEventSignal,
  capacitySignal,
  controlUpdate,
  nodeAliveSignal,
  nodeLostSignal,
  rescheduleUpdate,
  transferUpdate,
  verifySignal,
} from '../call/messages';
import type {
  CallStateSignal,
  ControlRequest,
  ControlResult,
  RescheduleRequest,
  RescheduleResult,
  TransferAcceptance,
  TransferRequest,
} from '../call/messages';
import { callStartOptions } from '../call/start-options';
import { callWorkflowId, mediaNodeAttribute, readMediaNodeAttribute } from '../ids';
import { timedRequest } from './timed-request';

/** The workflow is named, not imported: its code belongs to the worker's bundle. */
const CALL_WORKFLOW = 'callWorkflow';
const CALL_PREFIX = callWorkflowId('');
/** For all pages of a list, however many they are. */
const LIST_LIMIT_MS = 60_000;

export interface CallWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For each request that is not given a deadline of its own. */
  readonly limitMs: number;
}

export interface OutboundStart extends Pick<CallMemo, 'bodyHash'> {
  /** Epoch ms. */
  readonly deadlineMs?: number;
}

export interface CallWorkflowDescription {
  readonly running: boolean;
  readonly memo: CallMemo;
}

export interface RunningCall {
  readonly callId: string;
  /** Null before a node has the call. */
  readonly node: NodeBoot | null;
  /** Its ending is decided, only the record is not closed yet. */
  readonly ended: boolean;
}

/** `gone`: the workflow is closed, or was never there. */
export type SignalOutcome = 'delivered' | 'gone';

/** Deadlines are epoch ms. What no outcome stands for is thrown; `temporalTrouble` tells what it means. */
export class CallWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor(options: CallWorkflowsOptions) {
    this.#client = options.client;
    this.#limitMs = options.limitMs;
  }

  /** Awaits the start alone, never a workflow task. `exists`: by whom, and whether it still runs, `describe` tells. */
  async start(input: InboundCallInput, deadlineMs = this.#deadlineMs()): Promise<'started' | 'exists'> {
    return await this.#start(input, deadlineMs);
  }

  /** The same; who finds the call running has started it too. `exists`: it is over. */
  async startOutbound(
    input: OutboundCallInput,
    { deadlineMs = this.#deadlineMs(), ...memo }: OutboundStart = {},
  ): Promise<'started' | 'exists'> {
    return await this.#start(input, deadlineMs, memo);
  }

  /** Asked of the workflow itself, where visibility's word is not enough. Null when Temporal does not know it. */
  async describe(callId: string, deadlineMs = this.#deadlineMs()): Promise<CallWorkflowDescription | null> {
    return await timedRequest({ client: this.#client, deadlineMs, expected: { not_found: null } }, async () => {
      const { status, memo } = await this.#handle(callId).describe();
      return { running: status.name === 'RUNNING', memo: (memo ?? {}) as CallMemo };
    });
  }

  /**
   * The command's id is the update's: a repeat joins the first. `gone`: the workflow is, or it ended while the update was
   * under way. `closing`: not taken, and a moment later it will be or the workflow be gone.
   */
  async control(
    callId: string,
    request: ControlRequest,
    deadlineMs: number,
  ): Promise<ControlResult | 'gone' | 'closing'> {
    const expected = { closing: 'closing', not_found: 'gone', update_failed: 'gone' } as const;
    return await timedRequest<ControlResult | 'gone' | 'closing'>({ client: this.#client, deadlineMs, expected }, () =>
      this.#handle(callId).executeUpdate(controlUpdate, { args: [request], updateId: request.commandId }),
    );
  }

  /** As of `control`. */
  async reschedule(
    callId: string,
    updateId: string,
    request: RescheduleRequest,
    deadlineMs: number,
  ): Promise<RescheduleResult | 'gone' | 'closing'> {
    const expected = { closing: 'closing', not_found: 'gone', update_failed: 'gone' } as const;
    return await timedRequest<RescheduleResult | 'gone' | 'closing'>(
      { client: this.#client, deadlineMs, expected },
      () => this.#handle(callId).executeUpdate(rescheduleUpdate, { args: [request], updateId }),
    );
  }

  /** The transfer's id is the update's: a repeat joins the first. */
  async transfer(
    callId: string,
    request: TransferRequest,
    deadlineMs: number,
  ): Promise<TransferAcceptance | 'gone' | 'closing'> {
    const expected = { closing: 'closing', not_found: 'gone', update_failed: 'gone' } as const;
    const update = { args: [request] as [TransferRequest], updateId: request.transferId };
    return await timedRequest<TransferAcceptance | 'gone' | 'closing'>(
      { client: this.#client, deadlineMs, expected },
      () => this.#handle(callId).executeUpdate(transferUpdate, update),
    );
  }

  async signalEvent(callId: string, event: CallStateSignal): Promise<SignalOutcome> {
    return await this.#signal(() => this.#handle(callId).signal(callEventSignal, event));
  }

  async signalNodeLost(callId: string, lost: { bootId: string; answeredAtMs?: number }): Promise<SignalOutcome> {
    return await this.#signal(() => this.#handle(callId).signal(nodeLostSignal, lost));
  }

  async signalNodeAlive(callId: string, bootId: string): Promise<SignalOutcome> {
    return await this.#signal(() => this.#handle(callId).signal(nodeAliveSignal, { bootId }));
  }

  /** There may be room for the call, which waits. */
  async signalCapacity(callId: string): Promise<SignalOutcome> {
    return await this.#signal(() => this.#handle(callId).signal(capacitySignal));
  }

  async signalVerify(callId: string, bootId: string): Promise<SignalOutcome> {
    return await this.#signal(() => this.#handle(callId).signal(verifySignal, { bootId }));
  }

  /** What visibility knows to be running, of all nodes or of one; it lags behind by a moment. */
  async running(nodeId?: string): Promise<RunningCall[]> {
    const query =
      `WorkflowType = '${CALL_WORKFLOW}' AND ExecutionStatus = 'Running'` +
      (nodeId === undefined ? '' : ` AND MediaNodeId STARTS_WITH '${quoted(mediaNodeAttribute(nodeId, ''))}'`);
    return await timedRequest({ client: this.#client, deadlineMs: Date.now() + LIST_LIMIT_MS }, async () => {
      const calls: RunningCall[] = [];
      for await (const { workflowId, searchAttributes } of this.#client.workflow.list({ query })) {
        if (!workflowId.startsWith(CALL_PREFIX)) continue;
        const node = readMediaNodeAttribute(searchAttributes?.['MediaNodeId']?.[0]);
        // Another node's id may begin with this one's and a slash.
        if (nodeId !== undefined && node?.nodeId !== nodeId) continue;
        const ended = searchAttributes?.['CallStatus']?.[0] === 'completed';
        calls.push({ callId: workflowId.slice(CALL_PREFIX.length), node, ended });
      }
      return calls;
    });
  }

  async #start(input: CallInput, deadlineMs: number, memo: CallMemo = {}): Promise<'started' | 'exists'> {
    const expected = { already_started: 'exists' } as const;
    return await timedRequest<'started' | 'exists'>({ client: this.#client, deadlineMs, expected }, async () => {
      await this.#client.workflow.start(CALL_WORKFLOW, callStartOptions(input, memo));
      return 'started';
    });
  }

  async #signal(send: () => Promise<void>): Promise<SignalOutcome> {
    const options = { client: this.#client, deadlineMs: this.#deadlineMs(), expected: { not_found: 'gone' } } as const;
    return await timedRequest<SignalOutcome>(options, async () => {
      await send();
      return 'delivered';
    });
  }

  #handle(callId: string): ReturnType<Client['workflow']['getHandle']> {
    return this.#client.workflow.getHandle(callWorkflowId(callId));
  }

  #deadlineMs(): number {
    return Date.now() + this.#limitMs;
  }
}

function quoted(value: string): string {
  return value.replaceAll("'", "''");
}
