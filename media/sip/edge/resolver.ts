import { lookup, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';

import { addressScope, canonicalAddress } from '../../../ops/address-scope';

export interface ResolvedTarget {
  readonly address: string;
  readonly port: number;
}

export type TargetResolver = (host: string, port: number | null, transport: 'udp' | 'tcp') => Promise<ResolvedTarget[]>;

export const DEFAULT_SIP_PORT = 5060;

export class PrivateTargetError extends Error {
  constructor(host: string) {
    super(`${host} is at a private address only, which ALLOW_PRIVATE_TARGETS forbids`);
    this.name = 'PrivateTargetError';
  }
}

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

/**
 * Where private targets are not allowed: a name is judged by what it resolves to, whatever it looks like, and the
 * addresses given back are those that are connected to. @throws Error when none is public
 */
export function publicTargets(resolve: TargetResolver): TargetResolver {
  return async (host, port, transport) => {
    const found = await resolve(host, port, transport);
    const allowed = found.filter(({ address }) => addressScope(address) === 'public');
    if (found.length > 0 && allowed.length === 0) throw new PrivateTargetError(host);
    return allowed;
  };
}

async function addresses(host: string, port: number): Promise<ResolvedTarget[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => ({ address, port }));
}
