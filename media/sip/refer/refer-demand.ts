import { parseAddress } from '../message/address';
import { parseUri } from '../message/uri';
import { isTelephony, parseReferTo } from './refer-to';

import type { SipRequest } from '../message/message';
import type { Refusal } from '../message/validation';
import type { ReferTarget } from './refer-to';

/** What a REFER of the peer's asks for. */
interface ReferDemand {
  readonly referTo: ReferTarget;
  readonly referredBy: string | null;
  readonly sequence: number;
  readonly subscribed: boolean;
}

/** Or the answer that it is owed: 400 unless there is exactly one Refer-To (RFC 3515 §2.4.2), 603 to what we never do. */
export function readRefer(request: SipRequest): ReferDemand | Refusal {
  const values = request.list('refer-to');
  if (values.length === 0) return { status: 400, reason: 'Missing Refer-To Header Field' };
  if (values.length > 1) return { status: 400, reason: 'Multiple Refer-To Header Fields' };
  const referTo = parseReferTo(values[0]!);
  if (referTo === null) return { status: 400, reason: 'Malformed Refer-To' };
  // Other things than calls could be asked for as well (RFC 3515 §2.1).
  if (referTo.method !== 'INVITE' || !isTelephony(referTo.uri)) return { status: 603 };
  return {
    referTo,
    referredBy: referrer(request),
    sequence: request.cseq?.number ?? 0,
    subscribed: !/^\s*false\b/i.test(request.first('refer-sub') ?? ''),
  };
}

/** More than one would contradict each other (RFC 3892 §3). */
function referrer(request: SipRequest): string | null {
  const values = request.list('referred-by');
  const uri = values.length === 1 ? parseAddress(values[0]!)?.uri : undefined;
  return uri === undefined || parseUri(uri) === null ? null : uri;
}
