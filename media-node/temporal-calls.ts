import { isGrpcServiceError, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { CallMemo, InboundCallInput } from '../workflows/call/input';
import { callEventSignal } from '../workflows/call/messages';
import type { CallStateSignal } from '../workflows/call/messages';
import { callStartOptions } from '../workflows/call/start-options';
import { callWorkflowId, MAIN_TASK_QUEUE, mediaNodeWorkflowId } from '../workflows/ids';
import { nodeStartedSignal, nodeStoppedSignal } from '../workflows/node/messages';
import type { MediaNodeInput } from '../workflows/node/messages';

/** The peer still waits for an answer, and may try another node. */
const START_LIMIT_MS = 2_000;
const SIGNAL_LIMIT_MS = 2_000;
const PROBE_LIMIT_MS = 1_000;
/** gRPC status. */
const NOT_FOUND = 5;

/** `foreign`: the call was started by another node or boot. */
export type StartOutcome = 'started' | 'foreign' | 'unavailable';

/** What a media node says to Temporal, each with a deadline: nothing here waits for a server that is away. */
export class TemporalCalls {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Awaits the start alone, never a workflow task. A repeat by the same boot finds its own call. */
  async startInbound(input: InboundCallInput): Promise<StartOutcome> {
    const deadlineMs = Date.now() + START_LIMIT_MS;
    try {
      await this.#within(deadlineMs, () => this.#client.workflow.start('callWorkflow', callStartOptions(input)));
      return 'started';
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) return 'unavailable';
    }
    try {
      const description = await this.#within(deadlineMs, () =>
        this.#client.workflow.getHandle(callWorkflowId(input.callId)).describe(),
      );
      const memo = (description.memo ?? {}) as CallMemo;
      const own = memo.nodeId === input.nodeId && memo.bootId === input.bootId;
      return own && description.status.name === 'RUNNING' ? 'started' : 'foreign';
    } catch {
      return 'unavailable'; // whose it is cannot be told now: the peer repeats
    }
  }

  async signal(callId: string, signal: CallStateSignal): Promise<'delivered' | 'gone'> {
    try {
      await this.#within(Date.now() + SIGNAL_LIMIT_MS, () =>
        this.#client.workflow.getHandle(callWorkflowId(callId)).signal(callEventSignal, signal),
      );
      return 'delivered';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'gone';
      throw error;
    }
  }

  /** Rejects while Temporal is away. */
  async nodeStarted(nodeId: string, bootId: string): Promise<void> {
    const input: MediaNodeInput = { nodeId };
    await this.#within(Date.now() + SIGNAL_LIMIT_MS, () =>
      this.#client.workflow.signalWithStart('mediaNodeWorkflow', {
        workflowId: mediaNodeWorkflowId(nodeId),
        taskQueue: MAIN_TASK_QUEUE,
        args: [input],
        signal: nodeStartedSignal,
        signalArgs: [{ bootId }],
        staticSummary: `Media node ${nodeId}: watches its boots and ends the calls of lost ones`,
      }),
    );
  }

  async nodeStopped(nodeId: string, bootId: string): Promise<void> {
    try {
      await this.#within(Date.now() + SIGNAL_LIMIT_MS, () =>
        this.#client.workflow.getHandle(mediaNodeWorkflowId(nodeId)).signal(nodeStoppedSignal, { bootId }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }

  /** Does the server answer at all? */
  async probe(): Promise<boolean> {
    try {
      await this.#within(Date.now() + PROBE_LIMIT_MS, () =>
        this.#client.workflowService.describeNamespace({ namespace: this.#client.options.namespace }),
      );
      return true;
    } catch (error) {
      return isGrpcServiceError(error) && error.code === NOT_FOUND;
    }
  }

  #within<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
    return this.#client.connection.withDeadline(deadlineMs, work);
  }
}
