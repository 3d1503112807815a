import { withDeadline } from '../../../ops/deadline';
import { HostsFile } from './hosts-file';
import { NameCache } from './name-cache';
import { NameError } from './name-error';
import { NameServer } from './name-server';

import type { NaptrRecord, SrvRecord } from 'node:dns';
import type { Clock } from '../../clock';
import type { NameQueries } from './name-server';

/** What a dial asks about names. All reject with a NameError, and none later than its wait. */
export interface NameLookup {
  /** IPv4 first: the RTP port of a call to a name is one of IPv4. */
  addresses(name: string): Promise<readonly string[]>;
  /** Empty where there are none, or none could be had. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  naptr(name: string): Promise<readonly NaptrRecord[]>;
}

interface NamesOptions {
  readonly queries: NameQueries;
  readonly hosts: Pick<HostsFile, 'addresses'>;
  readonly clock: Clock;
}

/** How long a dial waits for the addresses of a name: half of what it has until its INVITE must have left. */
const ADDRESS_WAIT_MS = 1_500;
/** Most names have no such records, and some name servers do not answer questions for them. */
const SERVICE_WAIT_MS = 500;
/** For the addresses of IPv6 when those of IPv4 are there (RFC 8305 §3). */
const OTHER_FAMILY_WAIT_MS = 50;
const MAX_NAMES = 2_000;
const NOT_FOUND_MS = 30_000;
const FAILED_MS = 10_000;
const MAX_TTL_MS = 24 * 3_600_000;

/**
 * Host names, by the hosts file and the name servers. A question is asked once however many dials wait for it, and goes
 * on when they have given up: its answer serves the next ones. What a dead name server costs is the wait of a few
 * dials to that name, never those to others.
 */
export class Names implements NameLookup {
  readonly #options: NamesOptions;
  readonly #a: NameCache<readonly string[]>;
  readonly #aaaa: NameCache<readonly string[]>;
  readonly #srv: NameCache<readonly SrvRecord[]>;
  readonly #naptr: NameCache<readonly NaptrRecord[]>;

  constructor(options: NamesOptions) {
    this.#options = options;
    const cache = { clock: options.clock, maxNames: MAX_NAMES, failureTtlMs };
    this.#a = new NameCache(cache);
    this.#aaaa = new NameCache(cache);
    this.#srv = new NameCache(cache);
    this.#naptr = new NameCache(cache);
  }

  async addresses(host: string): Promise<readonly string[]> {
    const name = canonicalName(host);
    const own = this.#ownAddresses(name);
    if (own.length > 0) return own;
    // RFC 6761 §6.4: nobody needs to be asked.
    if (isWithin(name, 'invalid')) throw new NameError(name, 'not_found');
    const { queries } = this.#options;
    const v4 = this.#a.get(name, () => bounded(queries.a(name)));
    const v6 = this.#aaaa.get(name, () => bounded(queries.aaaa(name)));
    return this.#within(ADDRESS_WAIT_MS, name, this.#bothFamilies(v4, v6));
  }

  srv(host: string): Promise<readonly SrvRecord[]> {
    const name = canonicalName(host);
    const records = this.#srv.get(name, () => this.#options.queries.srv(name));
    return this.#within(SERVICE_WAIT_MS, name, records).catch(() => []);
  }

  naptr(host: string): Promise<readonly NaptrRecord[]> {
    const name = canonicalName(host);
    const records = this.#naptr.get(name, () => this.#options.queries.naptr(name));
    return this.#within(SERVICE_WAIT_MS, name, records).catch(() => []);
  }

  #ownAddresses(name: string): readonly string[] {
    const listed = this.#options.hosts.addresses(name);
    if (listed.length > 0) return listed;
    // RFC 6761 §6.3: these never leave the machine, whether or not its hosts file has them.
    return isWithin(name, 'localhost') ? ['127.0.0.1', '::1'] : [];
  }

  async #bothFamilies(v4: Promise<readonly string[]>, v6: Promise<readonly string[]>): Promise<readonly string[]> {
    let missing: unknown;
    const first = await v4.catch((error: unknown) => {
      missing = error;
      return [];
    });
    if (first.length === 0) {
      // Of two failures the first: a name server that fails for IPv4 says more than one that has no IPv6.
      return v6.catch((error: unknown) => {
        throw missing instanceof NameError && missing.failure !== 'not_found' ? missing : error;
      });
    }
    const { clock } = this.#options;
    const second = await withDeadline(v6, OTHER_FAMILY_WAIT_MS, { timers: clock }).catch(() => []);
    return [...first, ...second];
  }

  async #within<V>(limitMs: number, name: string, work: Promise<V>): Promise<V> {
    try {
      return await withDeadline(work, limitMs, { timers: this.#options.clock });
    } catch (error) {
      throw error instanceof NameError ? error : new NameError(name, 'no_answer', error);
    }
  }
}

/** The names of this system. @param servers see NameServer; `close` ends the questions under way */
export function systemNames(clock: Clock, servers: readonly string[] | null): { names: Names; close: () => void } {
  const server = new NameServer(servers);
  const names = new Names({ queries: server, hosts: new HostsFile(clock), clock });
  return { names, close: () => server.close() };
}

function canonicalName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

function failureTtlMs(error: unknown): number {
  return error instanceof NameError && error.failure === 'not_found' ? NOT_FOUND_MS : FAILED_MS;
}

async function bounded<V extends { readonly ttlMs: number }>(answer: Promise<V>): Promise<V> {
  const known = await answer;
  return { ...known, ttlMs: Math.min(known.ttlMs, MAX_TTL_MS) };
}
