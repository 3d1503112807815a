import { isIP, isIPv4 } from 'node:net';

import { addressScope, canonicalAddress, mayReach, userNetwork } from '../../../ops/address-scope';
import { parseUri } from '../message/uri';
import { isSentBy } from '../message/via';
import { DEFAULT_SIP_PORT } from './resolver';

import type { SipPeer } from '../peer';
import type { OutgoingResponse, RequestParts } from '../message/serialiser';
import type { SipEdge } from './edge';
import type { Flow } from './flow';
import type { ResolvedTarget, TargetResolver } from './resolver';

const TCP_CONNECT_MS = 5_000;

interface HopContext {
  readonly edge: SipEdge;
  readonly resolve: TargetResolver;
  readonly allowPrivateTargets: boolean;
}

/**
 * Sends a response where its request's topmost Via and source say (RFC 3261 §18.2.2, RFC 3581 §4). Over UDP the port of
 * sent-by counts only where sent-by is the source. Otherwise a NAT lies between, which knows nothing of that port: we
 * answer to the source port though nobody asked for it by `rport`.
 */
export async function sendResponse(
  edge: SipEdge,
  flow: Flow,
  { via, bytes }: Pick<OutgoingResponse, 'via' | 'bytes'>,
): Promise<void> {
  const { address, port, transport } = flow.peer;
  if (transport === 'udp') {
    const direct = via !== null && !via.params.has('rport') && isSentBy(via, address);
    const to = direct ? (via.port ?? DEFAULT_SIP_PORT) : port;
    (to === port ? flow : edge.udpFlow(address, to)).send(bytes);
    return;
  }
  const open = flow.open ? flow : await edge.tcpFlow(address, via?.port ?? DEFAULT_SIP_PORT, TCP_CONNECT_MS);
  open.send(bytes);
}

interface NextHop {
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp';
}

/** Where a request goes next (RFC 3261 §8.1.2); null when its hop cannot be read. */
export function nextHop({ hop }: Pick<RequestParts, 'hop'>): NextHop | null {
  const uri = parseUri(hop);
  if (uri === null || uri.host === '') return null;
  const host = uri.params.get('maddr') ?? uri.host;
  return { host, port: uri.port, transport: uri.params.get('transport')?.toLowerCase() === 'tcp' ? 'tcp' : 'udp' };
}

/**
 * The flow to a next hop that a peer named. What it names is hostile or simply behind NAT: a private, loopback or
 * link-local address is used only when the peer itself was heard from that kind of address, a private one only in the
 * same network, and without `allowPrivateTargets` not even then; else its source is.
 */
export async function flowToHop(context: HopContext, hop: NextHop | null, peer: SipPeer): Promise<Flow> {
  const { edge } = context;
  const target = await hopAddress(context, hop, peer);
  if (target.transport === 'udp') return edge.udpFlow(target.address, target.port);
  // A peer that connected to us is reached over that connection (RFC 5923).
  const open = edge.openTcpFlow(peer.address, peer.port);
  if (open !== undefined && peer.transport === 'tcp') return open;
  return edge.tcpFlow(target.address, target.port, TCP_CONNECT_MS);
}

async function hopAddress(
  { resolve, allowPrivateTargets }: HopContext,
  hop: NextHop | null,
  peer: SipPeer,
): Promise<{ readonly address: string; readonly port: number; readonly transport: 'udp' | 'tcp' }> {
  const source = {
    address: peer.address,
    port: peer.port,
    transport: peer.transport === 'udp' ? 'udp' : 'tcp',
  } as const;
  if (hop === null) return source;
  const literal = literalTarget(hop);
  const found = literal === undefined ? await resolve(hop.host, hop.port, hop.transport).catch(() => []) : [literal];
  const target = found.find(({ address }) => isReachable(address, peer.address, allowPrivateTargets));
  return target === undefined ? source : { ...target, transport: hop.transport };
}

/**
 * A private address means something in its own network alone, and nearly everybody has a 192.168.1.0/24: what a peer
 * behind a VPN calls itself there is nobody, or somebody else, here. Its source is where its requests come from.
 */
function isReachable(address: string, peer: string, allowPrivateTargets: boolean): boolean {
  if (!mayReach(address, peer, allowPrivateTargets)) return false;
  return addressScope(address) !== 'private' || privateNetwork(address) === privateNetwork(peer);
}

/** What is most probably one network, since nobody tells its mask: a /24 of IPv4, a /64 of IPv6. */
function privateNetwork(address: string): string {
  return isIPv4(address) ? address.slice(0, address.lastIndexOf('.')) : userNetwork(address);
}

function literalTarget({ host, port }: NextHop): Omit<ResolvedTarget, 'transport'> | undefined {
  const literal = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(literal) === 0 ? undefined : { address: canonicalAddress(literal), port: port ?? DEFAULT_SIP_PORT };
}
