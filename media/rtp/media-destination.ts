/**
 * Whether we may send to the address an SDP names. A peer must not make this node address hosts that the peer itself
 * does not reach us from: loopback only from loopback, private ranges only from private ranges. Otherwise (an
 * SDP from behind a NAT) the session waits until the peer's packets show its address.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** 0 public, 1 private, 2 loopback. */
function scope(address: string): 0 | 1 | 2 {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(address, family)) return 2;
  return PRIVATE.check(address, family) ? 1 : 0;
}

export function maySendTo(address: string, signallingAddress: string): boolean {
  if (!isIPv4(address) && !isIPv6(address)) return false;
  if (address === signallingAddress) return true;
  const target = scope(address);
  if (target === 0) return true;
  return isIPv4(signallingAddress) || isIPv6(signallingAddress) ? scope(signallingAddress) >= target : false;
}
