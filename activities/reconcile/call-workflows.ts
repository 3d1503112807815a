import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { nodeLostSignal, verifySignal } from '../../workflows/call/messages';
import { callWorkflowId } from '../../workflows/ids';

const LIMIT_MS = 10_000;
const CALL_PREFIX = callWorkflowId('');

export interface RunningCall {
  readonly callId: string;
  /** Search attribute `MediaNodeId`, `<nodeId>/<bootId>`; null before a node has the call. */
  readonly mediaNode: string | null;
  /** Its ending is decided, only the record is not closed yet. */
  readonly ended: boolean;
}

/** The workflows of calls, seen from outside. */
export class CallWorkflows {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** What visibility knows to be running; it lags behind by a moment. */
  async running(nodeId?: string): Promise<RunningCall[]> {
    const query =
      `WorkflowType = 'callWorkflow' AND ExecutionStatus = 'Running'` +
      (nodeId === undefined ? '' : ` AND MediaNodeId STARTS_WITH '${quoted(nodeId)}/'`);
    return await this.#within(async () => {
      const calls: RunningCall[] = [];
      for await (const { workflowId, searchAttributes } of this.#client.workflow.list({ query })) {
        if (!workflowId.startsWith(CALL_PREFIX)) continue;
        const mediaNode = searchAttributes?.['MediaNodeId']?.[0];
        calls.push({
          callId: workflowId.slice(CALL_PREFIX.length),
          mediaNode: typeof mediaNode === 'string' ? mediaNode : null,
          ended: searchAttributes?.['CallStatus']?.[0] === 'completed',
        });
      }
      return calls;
    });
  }

  /** Asked of the workflow itself, where visibility's word is not enough. */
  async isRunning(callId: string): Promise<boolean> {
    try {
      const { status } = await this.#within(() => this.#client.workflow.getHandle(callWorkflowId(callId)).describe());
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  /** False when the workflow is closed, or was never there. */
  async nodeLost(callId: string, bootId: string, answeredAtMs?: number): Promise<boolean> {
    const lost = answeredAtMs === undefined ? { bootId } : { bootId, answeredAtMs };
    return await this.#signal(() =>
      this.#client.workflow.getHandle(callWorkflowId(callId)).signal(nodeLostSignal, lost),
    );
  }

  async verify(callId: string, bootId: string): Promise<boolean> {
    return await this.#signal(() =>
      this.#client.workflow.getHandle(callWorkflowId(callId)).signal(verifySignal, { bootId }),
    );
  }

  async #signal(send: () => Promise<void>): Promise<boolean> {
    try {
      await this.#within(send);
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  #within<T>(work: () => Promise<T>): Promise<T> {
    return this.#client.connection.withDeadline(Date.now() + LIMIT_MS, work);
  }
}

function quoted(value: string): string {
  return value.replaceAll("'", "''");
}
