import type { HangupCause } from '../../contract/endings';
import type { OutboundCallInput } from '../../workflows/call/input';

/**
 * `accepted`: the workflow has it and its row is stored. `expired`: its first task came too late, nothing was dialled.
 * `closed`: the id belongs to a call that is over. `unavailable`, `busy` (too many starts at once): nothing was done.
 * `unknown`: it may have been started.
 */
export type AcceptOutcome = 'accepted' | 'expired' | 'closed' | 'unavailable' | 'busy' | 'unknown';

/** `gone`: no running workflow has this call. `unknown`: not answered in time, it may still take effect. */
export type HangupOutcome = 'done' | 'gone' | 'unavailable' | 'unknown' | 'refused';

export interface CallWorkflowDescription {
  /** Of the request that began it. */
  readonly bodyHash: string | null;
}

export interface CallWorkflows {
  /** Update-with-start; once more with the same ids when the first try hits its deadline. Never throws. */
  accept(input: OutboundCallInput, bodyHash: string | null): Promise<AcceptOutcome>;
  /** Null when Temporal does not know the call; throws `ApiError` 503 when it cannot be asked. */
  describe(callId: string): Promise<CallWorkflowDescription | null>;
  hangup(callId: string, updateId: string, request: HangupCause): Promise<HangupOutcome>;
}
