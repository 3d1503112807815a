import { isIP } from 'node:net';

import { NameError } from './name-error';
import { PrivateTargetError, servicesOf } from './resolver';

import type { NameFailure } from './name-error';
import type { NameLookup } from './names';
import type { ResolvedTarget, TargetResolver } from './resolver';

/** A peer may name a host with as many as it likes. */
const MAX_RECORDS = 20;

/** Where a peer is, as far as its owner says; what is null its name servers say (RFC 3263). */
export interface NamedTarget {
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | null;
}

export interface TargetLookup {
  /** In the order in which a call would try them; empty when there are none. */
  readonly targets: readonly ResolvedTarget[];
  /** What the name servers said, one record a line; of an address nothing. */
  readonly records: readonly string[];
  /** Why there are none. `private`: this server does not go where they are. */
  readonly failure: NameFailure | 'private' | null;
}

/** As a call to it is resolved, and by which records; never rejects. */
export async function lookUpTarget(
  { host, port, transport }: NamedTarget,
  { resolve, names }: { readonly resolve: TargetResolver; readonly names: NameLookup },
): Promise<TargetLookup> {
  try {
    const targets = await resolve(host, port, transport);
    const failure = targets.length === 0 ? 'not_found' : null;
    return { targets, records: await recordsOf({ host, port, transport }, names), failure };
  } catch (error) {
    const isPrivate = error instanceof PrivateTargetError;
    const failure = error instanceof NameError ? error.failure : isPrivate ? 'private' : 'failed';
    return { targets: [], records: [], failure };
  }
}

/** Asked for again: the answers are known by now. */
async function recordsOf({ host, port, transport }: NamedTarget, names: NameLookup): Promise<string[]> {
  if (isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return [];
  const records: string[] = [];
  if (port === null) {
    if (transport === null) {
      for (const { order, preference, service, replacement } of await names.naptr(host)) {
        records.push(`NAPTR ${order} ${preference} ${service} ${replacement}`);
      }
    }
    for (const { name } of await servicesOf(names, host, transport)) {
      for (const { priority, weight, port: at, name: target } of await names.srv(name)) {
        records.push(`SRV ${name} ${priority} ${weight} ${at} ${target}`);
      }
    }
  }
  for (const address of await names.addresses(host).catch(() => [])) {
    records.push(`${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`);
  }
  return records.slice(0, MAX_RECORDS);
}
