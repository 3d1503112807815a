/** What workflows ask of the store: projection writes of calls and the presence of media nodes. */
import type { CallEnding, CallMetrics } from '../../media/control/contract';
import type { CallInput } from '../../workflows/call/types';

/** Written with the answer, and again when a better answer time becomes known. */
export interface AnsweredRecord {
  readonly callId: string;
  readonly orgId: string;
  readonly nodeId: string;
  readonly bootId: string;
  readonly sipCallId: string | null;
  readonly answeredAtMs: number;
}

export interface FinalRecord {
  readonly callId: string;
  readonly orgId: string;
  readonly endedAtMs: number;
  readonly answeredAtMs: number | null;
  readonly nodeId: string | null;
  readonly bootId: string | null;
  readonly sipCallId: string | null;
  readonly ending: CallEnding;
  readonly metrics: CallMetrics | null;
  /** Number of the attempt that left a node, or may have. */
  readonly attempt: { readonly n: number; readonly state: 'finished' | 'uncertain' } | null;
  /** The node's last seq; null where its records are not waited for. */
  readonly lastSeq: number | null;
  /** True from the start where records are known to be missing. */
  readonly truncated: boolean;
}

export interface NodePresence {
  readonly nodeId: string;
  readonly bootId: string;
  /** Since the node's last sign of life, by the database's clock. */
  readonly silentMs: number;
}

export interface StoreActivities {
  /** The call's row, and the first event of the workflow. Repeating it changes nothing. */
  recordCall(input: CallInput): Promise<void>;
  recordAnswered(record: AnsweredRecord): Promise<void>;
  /** Closes the record when every event of the node is there; `false`: some are missing, nothing was written. */
  finaliseCall(record: FinalRecord): Promise<boolean>;
  /** Waits for the node's events until `waitUntilMs` (epoch), then closes the record as `truncated`. */
  finaliseWhenRecorded(record: FinalRecord, waitUntilMs: number): Promise<void>;
  /** Nodes with a sign of life in the last 6 s. */
  liveNodes(): Promise<readonly NodePresence[]>;
  nodePresence(nodeId: string): Promise<NodePresence | null>;
}
