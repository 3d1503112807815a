import { uriHost } from '../message/uri';

import type { SipPeer } from '../peer';
import type { SipEdge } from './edge';
import type { Flow } from './flow';
import type { ResolvedTarget } from './resolver';

interface TargetWay {
  /** For a connection to a target of TCP. */
  readonly connectMs: number;
  /** What the request will weigh. */
  readonly requestBytes: number;
  /** Whether ICMP errors are of interest, see `UdpListener.connectedFlow`. Default true. */
  readonly watched?: boolean;
}

/** For a request that only grew too long for UDP (RFC 3261 §18.1.1). */
const TCP_INSTEAD_CONNECT_MS = 1_000;
const MAX_UDP_REQUEST_BYTES = 1_300;

/** The way of a request of ours to a target. Rejects when that cannot be reached. */
export async function flowToTarget(
  edge: SipEdge,
  { address, port, transport }: ResolvedTarget,
  { connectMs, requestBytes, watched = true }: TargetWay,
): Promise<Flow> {
  if (transport === 'tcp') return edge.tcpFlow(address, port, connectMs);
  if (requestBytes > MAX_UDP_REQUEST_BYTES && edge.mayTryTcp(address, port)) {
    const tcp = await edge.tcpFlow(address, port, TCP_INSTEAD_CONNECT_MS).catch(() => null);
    if (tcp !== null) return tcp;
    edge.noteNoTcp(address, port);
  }
  return watched ? edge.watchedUdpFlow(address, port) : edge.udpFlow(address, port);
}

/** `192.0.2.7:5060/udp` */
export function targetName({ address, port, transport }: ResolvedTarget | SipPeer): string {
  return `${uriHost(address)}:${port}/${transport}`;
}
