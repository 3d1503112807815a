import { Resolver } from 'node:dns/promises';

import { NameError } from './name-error';

import type { NaptrRecord, SrvRecord } from 'node:dns';
import type { NameAnswer } from './name-cache';
import type { NameFailure } from './name-error';

/** What is asked of a name server. All reject with a NameError. */
export interface NameQueries {
  a(name: string): Promise<NameAnswer<readonly string[]>>;
  aaaa(name: string): Promise<NameAnswer<readonly string[]>>;
  srv(name: string): Promise<NameAnswer<readonly SrvRecord[]>>;
  naptr(name: string): Promise<NameAnswer<readonly NaptrRecord[]>>;
}

/** Of one query. The next tries wait longer and longer, 3.5 s in all. */
const QUERY_MS = 500;
const TRIES = 3;
/** node:dns does not tell the TTL of these. */
const SERVICE_TTL_MS = 60_000;

const FAILURES: Readonly<Record<string, NameFailure>> = {
  ENOTFOUND: 'not_found',
  ENODATA: 'not_found',
  EBADNAME: 'not_found',
  ETIMEOUT: 'no_answer',
  ECONNREFUSED: 'no_answer',
  ECANCELLED: 'no_answer',
};

/**
 * The name servers of the system, or those given. Asked over sockets of our own: `getaddrinfo` would hold one of the
 * four threads of the process per question, so that four names of a dead server stop all others, and files too.
 */
export class NameServer implements NameQueries {
  readonly #servers: readonly string[] | null;
  #resolver: Resolver | null = null;

  /** @param servers `address` or `address:port`; null: those of the system */
  constructor(servers: readonly string[] | null) {
    this.#servers = servers;
  }

  a(name: string): Promise<NameAnswer<readonly string[]>> {
    return this.#ask(name, async (resolver) => addressAnswer(await resolver.resolve4(name, { ttl: true })));
  }

  aaaa(name: string): Promise<NameAnswer<readonly string[]>> {
    return this.#ask(name, async (resolver) => addressAnswer(await resolver.resolve6(name, { ttl: true })));
  }

  srv(name: string): Promise<NameAnswer<readonly SrvRecord[]>> {
    return this.#ask(name, async (resolver) => ({ value: await resolver.resolveSrv(name), ttlMs: SERVICE_TTL_MS }));
  }

  naptr(name: string): Promise<NameAnswer<readonly NaptrRecord[]>> {
    return this.#ask(name, async (resolver) => ({ value: await resolver.resolveNaptr(name), ttlMs: SERVICE_TTL_MS }));
  }

  /** What is under way fails. */
  close(): void {
    this.#resolver?.cancel();
  }

  async #ask<V>(name: string, query: (resolver: Resolver) => Promise<V>): Promise<V> {
    const resolver = (this.#resolver ??= this.#open());
    try {
      return await query(resolver);
    } catch (error) {
      const failure = FAILURES[(error as NodeJS.ErrnoException).code ?? ''] ?? 'failed';
      // The system may have other servers by now: they are read when a resolver is made.
      if (failure === 'no_answer' && this.#resolver === resolver) this.#resolver = null;
      throw new NameError(name, failure, error);
    }
  }

  #open(): Resolver {
    const resolver = new Resolver({ timeout: QUERY_MS, tries: TRIES });
    if (this.#servers !== null) resolver.setServers([...this.#servers]);
    return resolver;
  }
}

function addressAnswer(
  records: readonly { readonly address: string; readonly ttl: number }[],
): NameAnswer<readonly string[]> {
  return {
    value: records.map(({ address }) => address),
    ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)),
  };
}
