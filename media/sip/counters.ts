import type { Refused } from './admission';

/** Why a message was refused or dropped; a label of a metric, so a closed set. */
export type SipRejectReason =
  | 'rate_limited'
  | 'unparsable'
  | 'unroutable_response'
  | 'invalid_request'
  | 'unsupported'
  | 'unknown_dialog'
  | 'merged_request'
  | 'not_replaceable'
  | 'challenged'
  | 'stale_nonce'
  | 'wrong_credentials'
  | 'source_not_allowed'
  | 'registration_refused'
  | 'unavailable'
  | `overload_${Refused}`
  | 'internal_error'
  | 'guesses_paused'
  | 'connection_limit'
  | 'message_timeout'
  | 'framing';

/** What the SIP layer counts. The default counts nothing. */
export interface SipCounters {
  /** @param method as on the wire: any word of a peer's */
  message(direction: 'in' | 'out', method: string, status: number | null): void;
  rejected(reason: SipRejectReason, status: number | null): void;
  retransmitted(method: string): void;
}

export const noCounters: SipCounters = {
  message: () => {},
  rejected: () => {},
  retransmitted: () => {},
};
