/** What a test sees of Temporal from outside: verdicts on media nodes, workflows of calls. */
import { Client, Connection } from '@temporalio/client';

import { callWorkflowId, mediaNodeWorkflowId, trunkWorkflowId } from '../../../workflows/ids';
import { nodeStateQuery } from '../../../workflows/node/messages';
import { plainHistory } from '../plain-history';
import type { PlainHistory } from '../plain-history';

const LIMIT_MS = 5_000;

export interface NodeState {
  readonly bootId: string | null;
  readonly lostBoots: readonly string[];
}

export class TemporalView {
  readonly #connection: Connection;
  readonly #client: Client;

  constructor(address: string) {
    this.#connection = Connection.lazy({ address });
    this.#client = new Client({ connection: this.#connection });
  }

  nodeState(nodeId: string): Promise<NodeState> {
    const handle = this.#client.workflow.getHandle(mediaNodeWorkflowId(nodeId));
    return this.#within(() => handle.query(nodeStateQuery));
  }

  /** Calls whose workflow runs. */
  runningCalls(): Promise<number> {
    return this.#calls('=');
  }

  /** Transfers whose workflow runs. */
  runningTransfers(): Promise<number> {
    return this.#count(`WorkflowType = 'transferWorkflow' AND ExecutionStatus = 'Running'`);
  }

  /** Calls whose workflow is over, however it ended. */
  closedCalls(): Promise<number> {
    return this.#calls('!=');
  }

  /** Status of the call's workflow, null when there is none. */
  callStatus(callId: string): Promise<string | null> {
    return this.#status(callWorkflowId(callId));
  }

  /** Status of the trunk's workflow, null when there is none. */
  trunkStatus(trunkId: string): Promise<string | null> {
    return this.#status(trunkWorkflowId(trunkId));
  }

  history(workflowId: string): Promise<PlainHistory> {
    return this.#within(() => plainHistory(this.#client.workflow.getHandle(workflowId)));
  }

  /** As an operator does in Temporal's UI. */
  async terminate(workflowId: string): Promise<void> {
    await this.#within(() => this.#client.workflow.getHandle(workflowId).terminate('by a test'));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #status(workflowId: string): Promise<string | null> {
    try {
      const handle = this.#client.workflow.getHandle(workflowId);
      const { status } = await this.#within(() => handle.describe());
      return status.name;
    } catch (error) {
      if ((error as Error).name === 'WorkflowNotFoundError') return null;
      throw error;
    }
  }

  #calls(running: '=' | '!='): Promise<number> {
    return this.#count(`WorkflowType = 'callWorkflow' AND ExecutionStatus ${running} 'Running'`);
  }

  async #count(query: string): Promise<number> {
    const { count } = await this.#within(() => this.#client.workflow.count(query));
    return count;
  }

  #within<T>(ask: () => Promise<T>): Promise<T> {
    return this.#connection.withDeadline(Date.now() + LIMIT_MS, ask);
  }
}
