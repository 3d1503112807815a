/** What a transfer leaves in its call's record. */
import type { TransferResult, TransferWay } from '../../contract/transfers';

export interface RequestedTransfer {
  readonly callId: string;
  readonly transferId: string;
  /** The way that is tried first. */
  readonly mode: TransferWay;
  readonly atMs: number;
}

export interface FinishedTransfer {
  readonly callId: string;
  readonly transferId: string;
  readonly result: TransferResult;
  readonly atMs: number;
}

/** Of the main task queue. Each may be repeated. */
export interface TransferActivities {
  /** The call is `transferring`. */
  transferRequested(transfer: RequestedTransfer): Promise<void>;
  /** It is no more, whatever came of it. */
  transferFinished(transfer: FinishedTransfer): Promise<void>;
}
