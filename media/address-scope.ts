/**
 * How far an address reaches. What a peer names in SDP, Contact or Route must not make this node address hosts that
 * the peer itself does not reach us from, however the address is spelled.
 */
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';

export type AddressScope = 'public' | 'private' | 'link' | 'loopback' | 'unusable';

type Subnet = readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'];

// IPv4-mapped IPv6 addresses are judged by the IPv4 entries. The first scope that fits counts.
const SCOPES: readonly (readonly [scope: AddressScope, list: BlockList])[] = [
  ['loopback', blockList(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6'])],
  ['link', blockList(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6'])],
  [
    'private',
    blockList(
      ['10.0.0.0', 8, 'ipv4'],
      ['172.16.0.0', 12, 'ipv4'],
      ['192.168.0.0', 16, 'ipv4'],
      ['100.64.0.0', 10, 'ipv4'],
      ['fc00::', 7, 'ipv6'],
    ),
  ],
  // Groups, broadcast, what RFC 6890 reserves, and IPv4 in forms of IPv6 that nobody routes (RFC 4291 §2.5.5.1).
  [
    'unusable',
    blockList(
      ['0.0.0.0', 8, 'ipv4'],
      ['224.0.0.0', 4, 'ipv4'],
      ['240.0.0.0', 4, 'ipv4'],
      ['ff00::', 8, 'ipv6'],
      ['::', 96, 'ipv6'],
    ),
  ],
];

/** `unusable` too for what is no literal address. */
export function addressScope(address: string): AddressScope {
  if (!isIPv4(address) && !isIPv6(address)) return 'unusable';
  // Made once, because a list asked for a string makes one each time.
  const target = new SocketAddress({ address, family: isIPv6(address) ? 'ipv6' : 'ipv4' });
  return SCOPES.find(([, list]) => list.check(target))?.[0] ?? 'public';
}

/** Whether a host that `peer` names may be addressed: one of the Internet, or one as near to us as the peer itself. */
export function mayReach(address: string, peer: string): boolean {
  const scope = addressScope(address);
  if (scope === 'unusable') return false;
  if (scope === 'public' || address === peer) return true;
  const from = addressScope(peer);
  return from === scope || (scope === 'private' && (from === 'link' || from === 'loopback'));
}

/** The wildcard of a socket; in SDP how older phones hold. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

/** Spelled as sockets spell it, so that addresses compare as strings. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

function blockList(...subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix, family] of subnets) list.addSubnet(network, prefix, family);
  return list;
}
