/**
 * How far an address reaches. What a user names as a target, or a peer in SDP, Contact or Route, must not make us
 * address hosts that are not theirs, however the address is spelled (RFC 6890 §2.2 lists what is not global).
 */
import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';

export type AddressScope = 'public' | 'documentation' | 'private' | 'link' | 'loopback' | 'unusable';

type Subnet = readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'];

// IPv4 within IPv6 is judged by the IPv4 entries, see `blockList`. The first scope that fits counts.
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
      ['198.18.0.0', 15, 'ipv4'],
      ['fc00::', 7, 'ipv6'],
      // Site-local (RFC 3879 §4) and a network's own NAT64 (RFC 8215 §3).
      ['fec0::', 10, 'ipv6'],
      ['64:ff9b:1::', 48, 'ipv6'],
    ),
  ],
  // Nobody's on the Internet (RFC 5737 §3, RFC 3849 §2, RFC 9637 §3); in a test network they stand for it.
  [
    'documentation',
    blockList(
      ['192.0.2.0', 24, 'ipv4'],
      ['198.51.100.0', 24, 'ipv4'],
      ['203.0.113.0', 24, 'ipv4'],
      ['2001:db8::', 32, 'ipv6'],
      ['3fff::', 20, 'ipv6'],
    ),
  ],
  // Groups, broadcast, what RFC 6890 reserves, and IPv4 in forms of IPv6 that nobody routes: compatible
  // (RFC 4291 §2.5.5.1), translated (RFC 2765 §2.1), Teredo (RFC 4380 §4).
  [
    'unusable',
    blockList(
      ['0.0.0.0', 8, 'ipv4'],
      ['192.0.0.0', 24, 'ipv4'],
      ['224.0.0.0', 4, 'ipv4'],
      ['240.0.0.0', 4, 'ipv4'],
      ['ff00::', 8, 'ipv6'],
      ['::', 96, 'ipv6'],
      ['::ffff:0:0:0', 96, 'ipv6'],
      ['100::', 64, 'ipv6'],
      ['2001::', 32, 'ipv6'],
    ),
  ],
];

/** Of the addresses asked for last: those of peers and trunks come again and again. */
const known = new Map<string, AddressScope>();
const MAX_KNOWN = 1_000;

/** `unusable` too for what is no literal address. */
export function addressScope(address: string): AddressScope {
  let scope = known.get(address);
  if (scope !== undefined) return scope;
  scope = scopeOf(address);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(address, scope);
  return scope;
}

function scopeOf(address: string): AddressScope {
  if (!isIPv4(address) && !isIPv6(address)) return 'unusable';
  // Made once, because a list asked for a string makes one each time.
  const target = new SocketAddress({ address, family: isIPv6(address) ? 'ipv6' : 'ipv4' });
  return SCOPES.find(([, list]) => list.check(target))?.[0] ?? 'public';
}

/**
 * Whether a host that `peer` names may be addressed: one of the Internet, the peer itself, or, where private targets
 * are allowed, one as near to us as the peer, or one of documentation, which is near to nobody. Elsewhere a near peer says little: behind Docker's NAT all peers are near.
 */
export function mayReach(address: string, peer: string, allowPrivate: boolean): boolean {
  const scope = addressScope(address);
  if (scope === 'unusable') return false;
  if (scope === 'public' || address === peer) return true;
  if (!allowPrivate) return false;
  if (scope === 'documentation') return true;
  const from = addressScope(peer);
  return from === scope || (scope === 'private' && (from === 'link' || from === 'loopback'));
}

/** An IPv4 address, or the /64 of an IPv6 one: what one user has at least (RFC 6177 §2). */
export function userNetwork(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const [front, back] = [head, tail].map((part) => part.split(':').filter((group) => group !== '')) as [
    string[],
    string[],
  ];
  const zeros = Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}

/** The wildcard of a socket; in SDP how older phones hold. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

/** Spelled as sockets spell it, so that addresses compare as strings. */
export function canonicalAddress(address: string): string {
  return address.includes(':') && isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** IPv4-mapped addresses match IPv4 entries by themselves; NAT64 (RFC 6052 §2.1) and 6to4 (RFC 3056 §2) by entries. */
function blockList(...subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix, family] of subnets) {
    list.addSubnet(network, prefix, family);
    if (family === 'ipv6') continue;
    list.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
    const [a = 0, b = 0, c = 0, d = 0] = network.split('.').map(Number);
    list.addSubnet(`2002:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}::`, 16 + prefix, 'ipv6');
  }
  return list;
}
