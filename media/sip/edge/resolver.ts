import { isIP } from 'node:net';

import { addressScope, canonicalAddress } from '../../../ops/address-scope';
import { NameError } from './name-error';
import { orderSrv, sipServices } from './service-records';

import type { NameLookup } from './names';
import type { SipService } from './service-records';

type TargetTransport = SipService['transport'];

export interface ResolvedTarget {
  readonly address: string;
  readonly port: number;
  readonly transport: TargetTransport;
}

/**
 * Addresses of a SIP host in the order to be tried. Without a port the host's own records name them, without a
 * transport that too. Rejects, and within 3 s, when there is none.
 */
export type TargetResolver = (
  host: string,
  port: number | null,
  transport: TargetTransport | null,
) => Promise<ResolvedTarget[]>;

export const DEFAULT_SIP_PORT = 5060;
/** A peer may name a host with as many as it likes. */
const MAX_SERVICE_HOSTS = 10;

export class PrivateTargetError extends Error {
  constructor(host: string) {
    super(`${host} is at a private address only, which ALLOW_PRIVATE_TARGETS forbids`);
    this.name = 'PrivateTargetError';
  }
}

/**
 * RFC 3263 §4: a literal as it is; a name with a port by its addresses; without one by NAPTR (where the transport is
 * open), then SRV, and only without those by its addresses, over UDP and port 5060.
 * @param random like Math.random
 */
export function targetResolver(names: NameLookup, random: () => number): TargetResolver {
  const ofService = async ({ name, transport }: SipService): Promise<ResolvedTarget[]> => {
    const hosts = orderSrv(await names.srv(name), random).slice(0, MAX_SERVICE_HOSTS);
    const targets = await Promise.all(
      hosts.map(async ({ name: host, port }) => {
        // "." says that the service is not offered here.
        const addresses = host === '' || host === '.' ? [] : await names.addresses(host).catch(() => []);
        return addresses.map((address) => ({ address, port, transport }));
      }),
    );
    return targets.flat();
  };
  return async (host, port, transport) => {
    const literal = host.startsWith('[') ? host.slice(1, -1) : host;
    const defaults = { port: port ?? DEFAULT_SIP_PORT, transport: transport ?? 'udp' };
    if (isIP(literal) !== 0) return [{ address: canonicalAddress(literal), ...defaults }];
    // Asked for with the others: most names have nothing else, and a dead name server costs one wait.
    const addresses = names.addresses(host);
    addresses.catch(() => undefined); // needed only where nothing else is found
    if (port === null) {
      const services = await servicesOf(names, host, transport);
      const found = (await Promise.all(services.map(ofService))).flat();
      if (found.length > 0) return found;
    }
    return (await addresses).map((address) => ({ address, ...defaults }));
  };
}

/** RFC 3263 §4.1: a domain without NAPTR records is asked for each transport that we speak. */
export async function servicesOf(
  names: NameLookup,
  host: string,
  transport: TargetTransport | null,
): Promise<readonly SipService[]> {
  const plain = (of: TargetTransport): SipService => ({ name: `_sip._${of}.${host}`, transport: of });
  if (transport !== null) return [plain(transport)];
  const offered = sipServices(await names.naptr(host));
  return offered.length > 0 ? offered : [plain('udp'), plain('tcp')];
}

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

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
};

/** Why a target was not reached, in the words of a call's record. */
export function whyUnreachable(error: unknown): string {
  const { code = '', message = 'no address' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (error instanceof NameError) return message;
  return SYSTEM_ERRORS[code] ?? message;
}
