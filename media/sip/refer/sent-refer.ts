import { encodeWireText } from '../message/message';
import { formatReferredBy, formatReferTo } from './refer-to';

import type { UriHeaders } from '../message/uri-headers';
import type { ReplacesHeader } from './replaces';
import type { SipfragStatus } from './sipfrag';

/** What we ask of the peer: to call somebody else (RFC 3515). */
export interface ReferRequest {
  /** A sip, sips or tel URI without header part. */
  readonly referTo: string;
  /** The call takes the place of this dialog with the referred-to (RFC 3891); default: it is a new one. */
  readonly replaces?: ReplacesHeader | null;
  /** URI of whoever refers (RFC 3892); null leaves it out. */
  readonly referredBy: string | null;
  /** On the REFER itself, and in the Refer-To for the new call. */
  readonly headers: UriHeaders;
}

/** What became of it. Of all but `refused` and a final status ≥ 300 nobody knows whether a phone rings somewhere. */
export type ReferOutcome =
  /** The REFER itself got a final answer ≥ 300. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  /** It was accepted, and this became of the new call; null when the peer will not tell (RFC 4488). */
  | { readonly kind: 'accepted'; readonly final: SipfragStatus | null }
  /** The peer ended the subscription without a final status; why is empty when it said nothing. */
  | { readonly kind: 'terminated'; readonly reason: string }
  /** Accepted, and then no end of it for too long. */
  | { readonly kind: 'expired' }
  /** Accepted, and then the peer hung up. */
  | { readonly kind: 'bye' }
  /** No answer to the REFER at all. */
  | { readonly kind: 'timeout' }
  /** It could not be sent. */
  | { readonly kind: 'transport_error' }
  /** The call did not stand, or ended before an answer. */
  | { readonly kind: 'dialog_over' };

/**
 * Header lines of the REFER. Everything in them is the line that was meant: the serialiser sees to that, as for every
 * request of ours.
 * @throws RangeError when `referTo` or `referredBy` is no URI that can be called
 */
export function referHeaders({ referTo, replaces = null, referredBy, headers }: ReferRequest): readonly string[] {
  return [
    `Refer-To: ${formatReferTo({ uri: referTo, replaces, headers })}`,
    ...(referredBy === null ? [] : [`Referred-By: ${formatReferredBy(referredBy)}`]),
    ...headers.map(([name, value]) => `${name}: ${encodeWireText(value)}`),
  ];
}
