/** The one answer to "what is a phone system pointed at?", for the media node, which listens there, and for who shows it. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { NetworkInterfaceInfo } from 'node:os';
import type { z } from 'zod';

import { canonicalAddress, isUnspecified } from './address-scope';
import type { sipEnv } from './env';

export interface SipListening {
  /** Listened on; a wildcard stands for all of the machine's own. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Name or address that peers are told instead. */
  readonly publicHost: string | null;
}

interface SipTarget {
  readonly host: string;
  readonly port: number | null;
}

type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

const DEFAULT_PORT = 5060;

export function sipListening(env: z.output<z.ZodObject<typeof sipEnv>>): SipListening {
  return { hosts: env.SIP_HOST, port: env.SIP_PORT, publicHost: env.SIP_PUBLIC_HOST ?? null };
}

/**
 * `host`, or `host:port` when the port is not 5060, IPv6 in brackets: the public host, else the first address listened
 * on that is no wildcard, else the machine's first that is not internal, IPv4 before IPv6.
 */
export function advertisedSipAddress(
  { hosts, port, publicHost }: SipListening,
  interfaces: Interfaces = networkInterfaces,
): string {
  const listened = hosts.find((host) => !isUnspecified(host));
  return sipAddress({ host: publicHost ?? listened ?? firstExternal(interfaces()) ?? '127.0.0.1', port });
}

/** Whether a target is what phone systems are pointed at, or an address that is listened on. */
export function isEndpointOf(listening: SipListening, target: SipTarget, interfaces?: Interfaces): boolean {
  const { hosts, port } = listening;
  const own = [advertisedSipAddress(listening, interfaces), ...hosts.map((host) => sipAddress({ host, port }))];
  const asked = sipAddress({ host: target.host.replace(/\.$/, ''), port: target.port ?? port });
  return own.some((address) => address.toLowerCase() === asked.toLowerCase());
}

/** `host`, or `host:port` when the port is not 5060, which none stands for; IPv6 in brackets. */
export function sipAddress({ host, port }: SipTarget): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const name = isIPv6(bare) ? `[${canonicalAddress(bare)}]` : bare;
  return port === null || port === DEFAULT_PORT ? name : `${name}:${port}`;
}

function firstExternal(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string | undefined {
  // A link-local IPv6 address says nothing without its zone, which is ours alone (RFC 4007 §6).
  const usable = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address;
}
