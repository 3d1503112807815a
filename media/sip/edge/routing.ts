import { isIP } from 'node:net';

import { canonicalAddress, mayReach } from '../../../ops/address-scope';
import { parseUri } from '../message/uri';
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

/** Sends a response where its request's topmost Via and source say (RFC 3261 §18.2.2, RFC 3581 §4). */
export async function sendResponse(edge: SipEdge, flow: Flow, { via, bytes }: OutgoingResponse): Promise<void> {
  const { address, port, transport } = flow.peer;
  if (transport === 'udp') {
    const to = via === null || via.params.has('rport') ? port : (via.port ?? DEFAULT_SIP_PORT);
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
 * link-local address is used only when the peer itself was heard from that kind of address, and without
 * `allowPrivateTargets` not even then; else its source is.
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
  const target = found.find(({ address }) => mayReach(address, peer.address, allowPrivateTargets));
  return target === undefined ? source : { ...target, transport: hop.transport };
}

function literalTarget({ host, port }: NextHop): Omit<ResolvedTarget, 'transport'> | undefined {
  const literal = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(literal) === 0 ? undefined : { address: canonicalAddress(literal), port: port ?? DEFAULT_SIP_PORT };
}
