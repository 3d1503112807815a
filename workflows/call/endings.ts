/** The endings a call's workflow decides by itself; every other one is its node's word. */
import type { CallEnding, HangupCause } from '../../contract/endings';
const bySystem = (disposition: CallEnding['disposition'], endReason: CallEnding['endReason']): CallEnding => ({
  disposition,
  endReason,
  endedBy: 'system',
  sip: null,
});

/** The first workflow task ran too late: nothing was dialled. */
export const EXPIRED: CallEnding = bySystem('expired', null);
/** Nothing was dialled until the call's deadline. */
export const NOT_DIALLED: CallEnding = bySystem('failed', null);
/** The trunk's name has no address. */
export const UNRESOLVABLE: CallEnding = bySystem('trunk_unreachable', null);
/** An INVITE may have left, and no node knows of it. */
export const UNCERTAIN: CallEnding = bySystem('uncertain', null);
/** An inbound call that its node gave up without a word. */
export const SETUP_ABANDONED: CallEnding = bySystem('failed', 'setup_abandoned');
/** Its node lives and does not know the call. */
export const FORGOTTEN: CallEnding = bySystem('failed', 'error');
/** The node should have ended the call long ago. */
export const MAX_DURATION: HangupCause = { endReason: 'max_duration', endedBy: 'system' };
/** Cancelled in Temporal's UI or CLI. */
export const OPERATOR_HANGUP: HangupCause = { endReason: 'api_hangup', endedBy: 'system' };

/** Hung up before anything was dialled. */
export function canceledUndialled(request: HangupCause): CallEnding {
  return { disposition: 'canceled', endReason: request.endReason, endedBy: request.endedBy, sip: null };
}
