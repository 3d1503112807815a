import type { Client } from '@temporalio/client';
import { MAIN_TASK_QUEUE, mediaNodeWorkflowId } from '../ids';
import { nodeStartedSignal, nodeStateQuery, nodeStoppedSignal } from '../node/messages';
import type { MediaNodeInput } from '../node/messages';
import type { NodeWatchState } from '../node/node-watch';
import { isDeadline } from './temporal-trouble';
import { timedRequest } from './timed-request';

/** Named, not imported, as the workflow of a call. */
const NODE_WORKFLOW = 'mediaNodeWorkflow';

/** The activity that watches a boot, of one run of the node's workflow. */
export interface WatchTask {
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
}

export interface NodeWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For each request. */
  readonly limitMs: number;
}

/** What a media node tells the workflow that watches it; rejects while Temporal is away. */
export class NodeWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor(options: NodeWorkflowsOptions) {
    this.#client = options.client;
    this.#limitMs = options.limitMs;
  }

  async nodeStarted(nodeId: string, bootId: string): Promise<void> {
    const input: MediaNodeInput = { nodeId };
    await timedRequest({ client: this.#client, deadlineMs: this.#deadlineMs() }, () =>
      this.#client.workflow.signalWithStart(NODE_WORKFLOW, {
        workflowId: mediaNodeWorkflowId(nodeId),
        taskQueue: MAIN_TASK_QUEUE,
        args: [input],
        signal: nodeStartedSignal,
        signalArgs: [{ bootId }],
        staticSummary: `Media node ${nodeId}: watches its boots and ends the calls of lost ones`,
      }),
    );
  }

  /** A workflow that is not there any more needs not be told. */
  async nodeStopped(nodeId: string, bootId: string): Promise<void> {
    const handle = this.#client.workflow.getHandle(mediaNodeWorkflowId(nodeId));
    const options = { client: this.#client, deadlineMs: this.#deadlineMs(), expected: { not_found: null } };
    await timedRequest<void | null>(options, () => handle.signal(nodeStoppedSignal, { bootId }));
  }

  /** `unknown`: there is no such workflow, or it has not heard of the boot. */
  async bootStanding(nodeId: string, bootId: string): Promise<'watched' | 'lost' | 'unknown'> {
    const handle = this.#client.workflow.getHandle(mediaNodeWorkflowId(nodeId));
    const options = { client: this.#client, deadlineMs: this.#deadlineMs(), expected: { not_found: null } };
    const state = await timedRequest<NodeWatchState | null>(options, () => handle.query(nodeStateQuery));
    if (state === null) return 'unknown';
    if (state.bootId === bootId) return 'watched';
    return state.bootId !== null || state.lostBoots.includes(bootId) ? 'lost' : 'unknown';
  }

  /**
   * Has Temporal write something that leaves no event in a history: a heartbeat of the activity that watches the node. Also
   * that this has ended is an answer; false when there was none in time. Rejects with whatever else came of it.
   */
  async probeWrite({ workflowId, runId, activityId }: WatchTask): Promise<boolean> {
    const { namespace } = this.#client.options;
    const options = { client: this.#client, deadlineMs: this.#deadlineMs(), expected: { not_found: true } };
    try {
      return await timedRequest<boolean>(options, async () => {
        await this.#client.workflowService.recordActivityTaskHeartbeatById({
          namespace,
          workflowId,
          runId,
          activityId,
        });
        return true;
      });
    } catch (error) {
      if (isDeadline(error)) return false;
      throw error;
    }
  }

  #deadlineMs(): number {
    return Date.now() + this.#limitMs;
  }
}
