/** What a test sees of Temporal from outside: verdicts on media nodes, workflows of calls. */
import { Client, Connection } from '@temporalio/client';

import { callWorkflowId, mediaNodeWorkflowId, trunkWorkflowId } from '../../../workflows/ids';
import { nodeStateQuery } from '../../../workflows/node/messages';
import { plainHistory } from '../plain-history';
import type { PlainHistory } from '../plain-history';

const LIMIT_MS = 5_000;
const SHOWN = 3;
const SHOWN_EVENTS = 12;

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

  /**
   * The same, asked of the workflows themselves: after an outage of Temporal its lists may be behind for minutes. Of the first
   * few what they were last at, to see why.
   */
  async stillRunning(): Promise<{ readonly count: number; readonly last: readonly string[] }> {
    const query = `WorkflowType = 'callWorkflow' AND ExecutionStatus = 'Running'`;
    const listed: string[] = [];
    for await (const { workflowId } of this.#client.workflow.list({ query })) listed.push(workflowId);
    const statuses = await Promise.all(listed.map((id) => this.#status(id)));
    const running = listed.filter((_, at) => statuses[at] === 'RUNNING');
    const last = await Promise.all(running.slice(0, SHOWN).map((id) => this.#lastEvents(id)));
    return { count: running.length, last };
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

  async #lastEvents(workflowId: string): Promise<string> {
    const { events } = await this.#within(() => this.#client.workflow.getHandle(workflowId).fetchHistory());
    const types = events
      ?.slice(-SHOWN_EVENTS)
      .map(({ eventId, eventType }) => `${String(eventId)} ${String(eventType)}`);
    return `${workflowId}: ${types?.join(', ')}`;
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
