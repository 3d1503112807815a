/** What a further leg of a call says in its INVITE: where it goes, from whom, and of whom the call is. */
import { AGENT_ID_HEADER, CONTACT_ID_HEADER, SESSION_ID_HEADER } from '../../../contract/directory';
import type { OutboundTrunkProfile } from '../../../contract/directory';
import type { LegDial, LegIdentity } from '../../../contract/transfers';
import type { OutboundInvite } from '../../sip/invite';
import { decodeUserPart, encodeUserPart, parseUri, uriHost } from '../../sip/message/uri';
import { callerUser } from '../number-format';
import { firstHost, trunkInvite } from '../trunk-invite';
import type { HandedOver } from './handed-over';

export interface LegInvite {
  readonly invite: Omit<OutboundInvite, 'sipCallId' | 'offer'>;
  /** Of which family media will be. */
  readonly mediaHost: string;
}

/** RFC 3323 §4.1.1.3: who has no number to show. */
const NOBODY = 'anonymous';
/** What a caller writes in From may be anything. */
const NUMBER = /^\+?\d{2,20}$/;

/** Null where there is no way: a number without a trunk, or a URI that we cannot call. */
export function legInvite(dial: LegDial, trunk: OutboundTrunkProfile | null, who: HandedOver | null): LegInvite | null {
  const headers = [...identityHeaders(dial), ...(trunk === null || who === null ? [] : callerHeaders(trunk, who))];
  const { target } = dial;
  if (target.type === 'sip') {
    const uri = parseUri(target.uri);
    const transport = uri?.params.get('transport')?.toLowerCase() ?? null;
    // TLS towards others is not spoken yet, and what asks for it is not called in the clear.
    if (uri?.scheme !== 'sip' || !(transport === null || transport === 'udp' || transport === 'tcp')) return null;
    const { port } = uri;
    const host = uri.host.replaceAll(/[[\]]/g, '');
    const invite: LegInvite['invite'] = {
      target: { user: decodeUserPart(uri.user), host, port, transport },
      gateways: [],
      fromUser: trunk === null ? NOBODY : callerUser(trunk.callerNumber, trunk),
      fromHost: trunk === null ? null : (trunk.fromHost ?? trunk.host),
      headers,
      transportStrict: false,
      // A trunk's are for its own hosts, and this one is somebody else.
      credentials: dial.credentials ?? null,
    };
    return { invite, mediaHost: host };
  }
  if (trunk === null) return null;
  const invite = trunkInvite(trunk, target.number, trunk.callerNumber);
  return { invite: { ...invite, headers: [...(invite.headers ?? []), ...headers] }, mediaHost: firstHost(trunk) };
}

/** RFC 3325 §9.1, and RFC 5806 §3: who calls, and whom they called; nothing of who does not want to be known. */
function callerHeaders(
  trunk: OutboundTrunkProfile,
  { number, calledNumber, withheld }: HandedOver,
): readonly (readonly [string, string])[] {
  if (trunk.passCallerId !== true || withheld) return [];
  const host = uriHost(trunk.fromHost ?? trunk.host);
  const uri = (of: string): string => `<sip:${encodeUserPart(callerUser(of, trunk))}@${host}>`;
  return [
    ...(NUMBER.test(number) ? [['P-Asserted-Identity', uri(number)] as const] : []),
    ...(calledNumber !== null && NUMBER.test(calledNumber)
      ? [['Diversion', `${uri(calledNumber)};reason=deflection;counter=1`] as const]
      : []),
  ];
}

/** What is not known is left out. */
export function identityHeaders({
  sessionId,
  agentId,
  contactId,
}: LegIdentity): readonly (readonly [string, string])[] {
  const values = [
    [SESSION_ID_HEADER, sessionId],
    [AGENT_ID_HEADER, agentId],
    [CONTACT_ID_HEADER, contactId],
  ] as const;
  return values.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}
