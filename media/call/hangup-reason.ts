/** The Reason that our BYE or CANCEL carries, by why the call ends (RFC 3326, Q.850). */
import type { EndReason } from '../../contract/endings';
import type { ReasonHeader } from '../sip/reason';

const NORMAL_CLEARING = 16;
const TEMPORARY_FAILURE = 41;
const RECOVERY_ON_TIMER_EXPIRY = 102;

const REASONS: Readonly<Record<EndReason, readonly [cause: number, text: string]>> = {
  caller_hangup: [NORMAL_CLEARING, 'caller hung up'],
  callee_hangup: [NORMAL_CLEARING, 'callee hung up'],
  agent_goodbye: [NORMAL_CLEARING, 'agent said goodbye'],
  api_hangup: [NORMAL_CLEARING, 'hung up by API'],
  max_duration: [NORMAL_CLEARING, 'maximum duration'],
  silence: [NORMAL_CLEARING, 'silence'],
  media_timeout: [RECOVERY_ON_TIMER_EXPIRY, 'media timeout'],
  session_expired: [RECOVERY_ON_TIMER_EXPIRY, 'session was not refreshed'],
  media_node_lost: [TEMPORARY_FAILURE, 'media node lost'],
  node_drained: [TEMPORARY_FAILURE, 'node is stopping'],
  workflow_lost: [TEMPORARY_FAILURE, 'call is no longer wanted'],
  transferred: [NORMAL_CLEARING, 'transferred'],
  setup_abandoned: [TEMPORARY_FAILURE, 'set-up abandoned'],
  error: [TEMPORARY_FAILURE, 'internal error'],
};

export function reasonHeader(endReason: EndReason | null): ReasonHeader {
  const [cause, text] = endReason === null ? [NORMAL_CLEARING, 'call ended'] : REASONS[endReason];
  return { protocol: 'Q.850', cause, text };
}

/** RFC 3326 §2: the person may answer elsewhere no more, our ring timeout is over. */
export const RING_TIMEOUT_REASON: ReasonHeader = {
  protocol: 'Q.850',
  cause: RECOVERY_ON_TIMER_EXPIRY,
  text: 'ring timeout',
};
