import { callerIdentity } from './caller-identity';
import { parseAddress } from './message/address';
import { sdpOf } from './message/body';
import { decodeWireText } from './message/message';
import { decodeUserPart, parseUri } from './message/uri';

import type { SipIdentity } from './auth/identity';
import type { Flow } from './edge/flow';
import type { InboundInvite } from './invite';
import type { SipRequest } from './message/message';
import type { SipUri } from './message/uri';
import type { ReplacedDialog } from './replaced-dialog';

/** What the call layer learns of an INVITE: its text as UTF-8, and no credentials. */
export function describeInvite(
  request: SipRequest,
  flow: Flow,
  identity: SipIdentity,
  localAddress: string,
  receivedAt: number,
  replaces: ReplacedDialog | null = null,
): InboundInvite {
  const headers = new Map<string, readonly string[]>();
  for (const [name, values] of request.headers) {
    if (name !== 'authorization' && name !== 'proxy-authorization') headers.set(name, values.map(decodeWireText));
  }
  return {
    sipCallId: request.callId,
    fromTag: request.fromTag,
    cseq: request.cseq?.number ?? 0,
    requestUser: calledUser(request, identity),
    caller: callerIdentity(request, identity.username),
    headers,
    offer: sdpOf(request),
    peer: flow.peer,
    identity,
    localAddress,
    receivedAt,
    replaces,
  };
}

/**
 * A carrier that calls a registered Contact writes that into the Request-URI, and has the number that was dialled in
 * P-Called-Party-ID (RFC 7315 §4.2), or still in To.
 */
function calledUser(request: SipRequest, { registeredUser }: SipIdentity): string {
  const user = requestUser(parseUri(request.requestUri));
  if (user !== registeredUser) return user;
  const called = parseAddress(request.list('p-called-party-id')[0] ?? '') ?? request.to;
  const dialled = called === null ? '' : requestUser(parseUri(called.uri));
  return dialled === '' ? user : dialled;
}

/** With the context of a national number, which a sip URI has in its user part and a tel URI behind it. RFC 3966 §5.1.5 */
function requestUser(uri: SipUri | null): string {
  if (uri === null || uri.user === '') return '';
  const context = uri.params.get('phone-context');
  return decodeUserPart(context == null ? uri.user : `${uri.user};phone-context=${context}`);
}
