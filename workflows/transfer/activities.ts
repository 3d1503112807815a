/** What a transfer leaves in its call's record. */
import type { SealedControl } from '../../contract/commands';
import type { TransferOrigin, TransferResult, TransferWay, TransferWish } from '../../contract/transfers';

export interface RequestedTransfer {
  readonly callId: string;
  readonly transferId: string;
  readonly by: TransferOrigin;
  /** The way that is tried first. */
  readonly mode: TransferWay;
  readonly atMs: number;
}

export interface WantedTransfer extends TransferWish {
  readonly callId: string;
  readonly orgId: string;
  readonly transferId: string;
}

/** As it may stand in a history: whom it calls, and what is said before, are sealed. */
export type PlannedTransfer =
  | {
      readonly ok: true;
      readonly ways: readonly TransferWay[];
      readonly announce: SealedControl | null;
      readonly leg: string;
      readonly ringTimeoutSeconds: number;
    }
  | { readonly ok: false; readonly code: string };

export interface RefusedTransfer extends TransferWish {
  readonly callId: string;
  readonly transferId: string;
  readonly code: string;
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
  /** What a wish of the call comes to, by the rules for a request to the API. */
  planTransfer(wanted: WantedTransfer): Promise<PlannedTransfer>;
  /** Nothing comes of it. */
  transferRefused(refused: RefusedTransfer): Promise<void>;
  /** The call is `transferring`. */
  transferRequested(transfer: RequestedTransfer): Promise<void>;
  /** It is no more, whatever came of it. */
  transferFinished(transfer: FinishedTransfer): Promise<void>;
}
