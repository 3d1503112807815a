import { lookup, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';

import { canonicalAddress } from '../../address-scope';

export interface ResolvedTarget {
  readonly address: string;
  readonly port: number;
}

export type TargetResolver = (host: string, port: number | null, transport: 'udp' | 'tcp') => Promise<ResolvedTarget[]>;

export const DEFAULT_SIP_PORT = 5060;

/**
 * Addresses of a SIP host in the order to be tried (RFC 3263 §4.2): a literal as it is, a name without port by SRV,
 * then by A and AAAA. @throws Error with the resolver's code when the name has no address
 */
export const resolveTarget: TargetResolver = async (host, port, transport) => {
  const literal = host.startsWith('[') ? host.slice(1, -1) : host;
  if (isIP(literal) !== 0) return [{ address: canonicalAddress(literal), port: port ?? DEFAULT_SIP_PORT }];
  if (port === null) {
    const records = await resolveSrv(`_sip._${transport}.${host}`).catch(() => []);
    records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    const targets = await Promise.all(records.map((record) => addresses(record.name, record.port).catch(() => [])));
    const found = targets.flat();
    if (found.length > 0) return found;
  }
  return addresses(host, port ?? DEFAULT_SIP_PORT);
};

async function addresses(host: string, port: number): Promise<ResolvedTarget[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => ({ address, port }));
}
