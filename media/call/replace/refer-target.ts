/**
 * Where a REFER of the peer's may lead: to that peer itself, to nobody else. So it costs us no call that the peer could not
 * make by itself, and takes us to no host that it does not have.
 */
import { isIP } from 'node:net';

import type { CallDirectory, CallLimits, OutboundTrunkProfile } from '../../../contract/directory';
import { canonicalAddress } from '../../../ops/address-scope';
import { withDeadline } from '../../../ops/deadline';
import type { Clock } from '../../clock';
import type { OutboundDialog } from '../../sip/dialog';
import type { SipEndpoint } from '../../sip/endpoint';
import type { OutboundInvite, SipHost } from '../../sip/invite';
import { decodeUserPart, parseUri } from '../../sip/message/uri';
import type { SipPeer } from '../../sip/peer';
import type { ReferTarget } from '../../sip/refer/refer-to';

/** The peer of a dialog, as its trunk vouches for it. */
export interface ReferringPeer {
  /** Where its signalling comes from, or our INVITE went to. */
  readonly at: SipPeer;
  /** What it calls itself: its Contact. */
  readonly contact: string;
  /** Names of the trunk's hosts. */
  readonly hosts: readonly string[];
  /** Of the trunk. */
  readonly limits: CallLimits;
}

/** Before it is known where the INVITE went. */
const NOWHERE: SipPeer = { transport: 'udp', address: '', port: 0 };

/** A carrier that we have called by its trunk. */
export function carrierOf(trunk: OutboundTrunkProfile, dialog: OutboundDialog | null): ReferringPeer {
  const hosts = [trunk.host, ...(trunk.gateways ?? []).map(({ host }) => host)].map((host) => host.toLowerCase());
  return { at: dialog?.peer ?? NOWHERE, contact: dialog?.remoteTarget ?? '', hosts, limits: trunk };
}

interface Lookup {
  readonly clock: Clock;
  readonly endpoint: Pick<SipEndpoint, 'lookUp'>;
  readonly directory: Pick<CallDirectory, 'refuseReferredUser'>;
}

type CalledTarget = Pick<OutboundInvite, 'target' | 'nextHop'>;

/** The peer waits for the answer to its REFER, and gives up before long (RFC 4320 §4). */
const LOOK_UP_MS = 3_000;

/** Why the peer is refused what it asks for, for the record of the call. */
type TargetRefusal = 'foreign_target' | 'not_a_target' | 'emergency_number' | 'destination_not_allowed';

/** Never rejects. */
export async function referredTarget(
  { uri: text }: Pick<ReferTarget, 'uri'>,
  peer: ReferringPeer,
  { clock, endpoint, directory }: Lookup,
): Promise<CalledTarget | TargetRefusal> {
  const uri = parseUri(text);
  const transport = uri?.params.get('transport')?.toLowerCase() ?? null;
  // TLS towards others is not spoken yet, and what asks for it is not called in the clear.
  if (uri?.scheme !== 'sip' || !(transport === null || transport === 'udp' || transport === 'tcp'))
    return 'not_a_target';
  const user = decodeUserPart(uri.user);
  const refusal = directory.refuseReferredUser(user);
  if (refusal !== null) return refusal;
  const host = uri.host.replaceAll(/[[\]]/g, '');
  const named: SipHost = { host, port: uri.port, transport };
  const target = { user, ...named };
  const own = canonicalAddress(peer.at.address);
  if (canonicalAddress(host) === own || peer.hosts.includes(host)) return { target };
  // Behind a NAT it knows itself by another address; whatever that is, the INVITE goes back to where the peer is.
  if (uri.host === parseUri(peer.contact)?.host) return { target, nextHop: hopTo(peer.at) };
  if (isIP(host) !== 0) return 'foreign_target';
  // A name of the peer's that is ours to resolve: what it says now is kept to.
  const { targets } = await withDeadline(endpoint.lookUp(named), LOOK_UP_MS, { timers: clock }).catch(() => ({
    targets: [],
  }));
  const there = targets.find(({ address }) => canonicalAddress(address) === own);
  if (there === undefined) return 'foreign_target';
  return { target, nextHop: { host: there.address, port: there.port, transport: there.transport } };
}

function hopTo({ address, port, transport }: SipPeer): SipHost {
  return { host: address, port, transport: transport === 'tcp' ? 'tcp' : 'udp' };
}
