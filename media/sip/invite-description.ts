import { callerIdentity } from './caller-identity';
import { sdpOf } from './message/body';
import { decodeWireText } from './message/message';
import { decodeUserPart, parseUri } from './message/uri';

import type { SipIdentity } from './auth/identity';
import type { Flow } from './edge/flow';
import type { InboundInvite } from './invite';
import type { SipRequest } from './message/message';

/** What the call layer learns of an INVITE: its text as UTF-8, and no credentials. */
export function describeInvite(
  request: SipRequest,
  flow: Flow,
  identity: SipIdentity,
  localAddress: string,
  receivedAt: number,
): InboundInvite {
  const headers = new Map<string, readonly string[]>();
  for (const [name, values] of request.headers) {
    if (name !== 'authorization' && name !== 'proxy-authorization') headers.set(name, values.map(decodeWireText));
  }
  return {
    sipCallId: request.callId,
    fromTag: request.fromTag,
    cseq: request.cseq?.number ?? 0,
    requestUser: decodeUserPart(parseUri(request.requestUri)?.user ?? ''),
    caller: callerIdentity(request),
    headers,
    offer: sdpOf(request),
    peer: flow.peer,
    identity,
    localAddress,
    receivedAt,
  };
}
