import type { NodePresence, NodeCalls } from '../../contract/nodes';
import type { RunningCall } from '../../workflows/client/call-workflows';
import type { Discrepancy } from '../../workflows/reconciler/activities';

/** What is younger may be on its way from one to the other. */
export const MIN_AGE_MS = 5_000;
/** A silent node is its own workflow's business for this long. */
const NODE_GONE_MS = 20_000;

interface OpenRow {
  readonly callId: string;
  readonly nodeId: string | null;
  readonly bootId: string | null;
  readonly answeredAt: Date | null;
}

export interface SurveyInput {
  readonly nowMs: number;
  /** Open rows older than `MIN_AGE_MS`. */
  readonly rows: readonly OpenRow[];
  readonly running: readonly RunningCall[];
  readonly nodes: readonly NodeCalls[];
  /** Every node PostgreSQL knows, silent ones included, by id. */
  readonly presence: ReadonlyMap<string, NodePresence>;
}

/** The differences between the three, as far as they can be seen at one moment. Pure. */
export function survey(input: SurveyInput): Discrepancy[] {
  const running = new Map(input.running.map((call) => [call.callId, call]));
  const found: Discrepancy[] = [];
  for (const { nodeId, bootId, calls } of input.nodes) {
    for (const { callId, sinceMs, state } of calls) {
      if (input.nowMs - sinceMs < MIN_AGE_MS || running.has(callId)) continue;
      found.push({ cause: 'live_without_workflow', callId, nodeId, bootId, answered: state === 'answered' });
    }
  }
  const old = new Map(input.rows.map((row) => [row.callId, row.answeredAt !== null]));
  for (const { callId, nodeId, bootId, answeredAt } of input.rows) {
    if (running.has(callId)) continue;
    found.push({ cause: 'open_without_workflow', callId, nodeId, bootId, answered: answeredAt !== null });
  }
  const listed = new Map(
    input.nodes.map(({ nodeId, bootId, calls }) => [
      nodeId,
      { bootId, callIds: new Set(calls.map((call) => call.callId)) },
    ]),
  );
  for (const { callId, node: place, ended } of input.running) {
    // Without an open row of some age it has just begun, or is just being closed.
    const answered = old.get(callId);
    if (place === null || answered === undefined || ended) continue;
    const { nodeId, bootId } = place;
    const node = listed.get(nodeId);
    if (node?.bootId === bootId) {
      if (!node.callIds.has(callId)) found.push({ cause: 'forgotten_by_node', callId, nodeId, bootId, answered });
    } else if (isGone(input.presence.get(nodeId), bootId)) {
      found.push({ cause: 'node_gone', callId, nodeId, bootId, answered });
    }
  }
  return found;
}

function isGone(presence: NodePresence | undefined, bootId: string): boolean {
  return presence === undefined || presence.bootId !== bootId || presence.silentMs > NODE_GONE_MS;
}
