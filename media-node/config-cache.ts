import { Client as PgClient } from 'pg';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import { CONFIG_CHANNEL } from '../store/repositories/config-repository';
import type { ConfigDelta, ConfigRepository } from '../store/repositories/config-repository';
import { ConfigSnapshot } from './config-snapshot';
import { OutageClock } from './outage-clock';

const CHECK_MS = 500;
const LISTEN_RETRY_MS = 1_000;

export interface ConfigCacheOptions {
  readonly repository: Pick<ConfigRepository, 'loadSince' | 'currentVersion'>;
  /** For LISTEN, which needs a connection of its own. */
  readonly databaseUrl: string | null;
  /** A trunk was deleted; its calls are still up. */
  readonly onTrunkRevoked: (trunkId: string) => void;
  /** From now on every decision is by this version. */
  readonly onApplied: (version: number) => void;
  readonly logger: Logger;
  /** Between two looks at the version. Default 500. */
  readonly checkMs?: number;
}

/**
 * All trunks, numbers and agents in memory. `NOTIFY` brings a change at once; the version is looked at every 500 ms, so
 * that a lost notification or connection costs half a second. While PostgreSQL is away the last state stays.
 */
export class ConfigCache {
  readonly snapshot = new ConfigSnapshot();
  /** Since PostgreSQL last told the version. */
  readonly outage = new OutageClock();
  readonly #options: ConfigCacheOptions;
  readonly #closing = new AbortController();
  #listener: PgClient | null = null;
  #timer: NodeJS.Timeout | null = null;
  #refreshing: Promise<void> | null = null;
  #again = false;
  #away = false;

  constructor(options: ConfigCacheOptions) {
    this.#options = options;
  }

  /** Resolves with the first complete load; repeats it while PostgreSQL is away. Rejects when closed before. */
  async start(): Promise<void> {
    const { repository, databaseUrl, logger } = this.#options;
    const { signal } = this.#closing;
    await retry(async () => this.#apply(await repository.loadSince(0)), {
      pauseMs: CHECK_MS,
      signal,
      onFailure: (error) => logger.warn({ err: error }, 'configuration cannot be loaded yet'),
    });
    this.#check();
    if (databaseUrl === null) return;
    // That PostgreSQL is away is in the log already; only the end of this cache ends it.
    void retry(() => this.#listen(databaseUrl), { pauseMs: LISTEN_RETRY_MS, signal }).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#listener?.end().catch(() => undefined); // it was broken already
    await this.#refreshing;
  }

  /** Joins a refresh under way, and runs another one after it. */
  refresh(): Promise<void> {
    if (this.#refreshing !== null) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#load().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  #check(): void {
    this.#timer = setTimeout(() => {
      void this.refresh().finally(() => {
        if (!this.#closing.signal.aborted) this.#check();
      });
    }, this.#options.checkMs ?? CHECK_MS);
  }

  async #load(): Promise<void> {
    do {
      this.#again = false;
      try {
        const version = await this.#options.repository.currentVersion();
        if (version !== this.snapshot.version) {
          this.#apply(await this.#options.repository.loadSince(this.snapshot.version));
        }
        this.outage.answered();
        if (this.#away) this.#options.logger.info({}, 'configuration is current again');
        this.#away = false;
      } catch (error) {
        if (!this.#away) this.#options.logger.warn({ err: error }, 'configuration is served from memory');
        this.#away = true;
      }
    } while (this.#again && !this.#closing.signal.aborted);
  }

  #apply(delta: ConfigDelta): void {
    if (delta.unreadable.length > 0) {
      this.#options.logger.error({ rows: delta.unreadable }, 'secrets do not open with this SECRETS_KEY');
    }
    const revoked = this.snapshot.apply(delta);
    this.#options.onApplied(delta.version);
    this.outage.answered();
    for (const trunkId of revoked) {
      this.#options.logger.info({ trunkId }, 'trunk revoked');
      this.#options.onTrunkRevoked(trunkId);
    }
  }

  /** Listens as long as the connection holds; rejects when it ends. */
  async #listen(connectionString: string): Promise<never> {
    const listener = new PgClient({
      connectionString,
      application_name: 'trunkline config listener',
      connectionTimeoutMillis: 2000,
      keepAlive: true,
    });
    const over = new Promise<never>((_, reject) => {
      listener.on('error', reject);
      listener.on('end', () => reject(new Error('the connection ended')));
    });
    over.catch(() => undefined); // also when it ends before it is awaited
    listener.on('notification', () => void this.refresh());
    this.#listener = listener;
    try {
      await listener.connect();
      await listener.query(`LISTEN ${CONFIG_CHANNEL}`);
      // What was notified while nobody listened.
      await this.refresh();
      return await over;
    } finally {
      this.#listener = null;
      void listener.end().catch(() => undefined); // it was broken already
    }
  }
}
