import { Worker } from 'node:worker_threads';
import type { NodeBoot } from '../contract/nodes';
import { threadEntry } from '../media';
import { Backoff } from '../ops/backoff';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import type { ConfigDelta } from '../store/config-changes';
import type { SecretBox } from '../store/secrets';
import type { ConfigLook, ConfigThreadOptions, ToConfigThread } from './config-messages';
import { ConfigSnapshot } from './config-snapshot';
import { OutageClock } from './outage-clock';

const CHECK_MS = 500;
/** A thread that has run for a minute was no failed start. */
const RESTARTS = { pauseMs: 200, maximumPauseMs: 5_000, stableMs: 60_000 };
const STOP_MS = 1_000;

export interface ConfigCacheOptions {
  readonly databaseUrl: string;
  readonly secrets: Pick<SecretBox, 'openingKeys'>;
  /** A trunk was deleted; its calls are still up. */
  readonly onTrunkRevoked: (trunkId: string) => void;
  /** From now on every decision is by this version. */
  readonly onApplied: (version: number) => void;
  /** Some are other ones by now, or gone. */
  readonly onOutboundTrunks: () => void;
  readonly logger: Logger;
  /** Between two looks at the version. Default 500. */
  readonly checkMs?: number;
  /** What the thread begins with, for tests. */
  readonly entry?: string;
}

/**
 * All trunks, numbers and agents in memory. A thread of its own follows PostgreSQL (`ConfigFeed`) and hands over what has
 * changed; here it is only put in its place. While PostgreSQL is away the last state stays.
 */
export class ConfigCache {
  readonly snapshot = new ConfigSnapshot();
  /** Since PostgreSQL last told the version. */
  readonly outage = new OutageClock();
  readonly #options: ConfigCacheOptions;
  readonly #closing = new AbortController();
  readonly #backoff = new Backoff(RESTARTS);
  #thread: Worker | null = null;
  #exited: Promise<void> = Promise.resolve();
  /** What a thread that begins is told to be here; 0 after a change that could not be put in its place. */
  #held = 0;
  #request = 0;
  readonly #waiting: { readonly request: number; readonly done: () => void }[] = [];
  #loaded: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  #away = false;

  constructor(options: ConfigCacheOptions) {
    this.#options = options;
  }

  /** Resolves with the first complete load, waits for PostgreSQL. Rejects when closed before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#loaded = { resolve, reject };
      this.#begin();
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#tell({ type: 'stop' });
    const thread = this.#thread;
    // A server that is silent keeps it.
    await withDeadline(this.#exited, STOP_MS).catch(() => thread?.terminate());
    for (const { done } of this.#waiting.splice(0)) done();
    this.#loaded?.reject(new Error('the configuration was closed before it was loaded'));
    this.#loaded = null;
  }

  /** Resolves when PostgreSQL was asked after this, or could not be. */
  refresh(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    const request = ++this.#request;
    this.#tell({ type: 'look', request });
    return new Promise((done) => this.#waiting.push({ request, done }));
  }

  /** Tells those who wait for it that this boot acts on a version. What gets lost is said by its next sign of life. */
  acting(boot: NodeBoot, version: number): void {
    const { nodeId, bootId } = boot;
    this.#tell({ type: 'acting', boot: { nodeId, bootId }, version });
  }

  #tell(message: ToConfigThread): void {
    this.#thread?.postMessage(message);
  }

  #begin(): void {
    const { databaseUrl, secrets, checkMs = CHECK_MS, logger } = this.#options;
    const { entry = threadEntry(__dirname, 'config-thread') } = this.#options;
    const workerData: ConfigThreadOptions = {
      databaseUrl,
      openingKeys: secrets.openingKeys(),
      version: this.#held,
      request: this.#request,
      checkMs,
    };
    const beganMs = performance.now();
    const thread = new Worker(entry, { workerData });
    this.#thread = thread;
    thread.on('message', (look: ConfigLook) => this.#looked(look));
    thread.on('error', (error) => logger.error({ err: error }, 'the thread of the configuration failed'));
    this.#exited = new Promise((resolve) => {
      thread.once('exit', () => {
        this.#thread = null;
        resolve();
        if (this.#closing.signal.aborted) return;
        const pauseMs = this.#backoff.next(performance.now() - beganMs);
        const timer = setTimeout(() => this.#begin(), pauseMs);
        this.#closing.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      });
    });
  }

  #looked({ request, delta, failure }: ConfigLook): void {
    if (this.#closing.signal.aborted) return;
    if (failure !== null) this.#isAway(failure);
    else if (delta === null || this.#put(delta)) this.#isThere();
    while (this.#waiting[0] !== undefined && this.#waiting[0].request <= request) this.#waiting.shift()?.done();
  }

  #isAway(failure: Error): void {
    const { logger } = this.#options;
    const loaded = this.#loaded === null;
    if (!this.#away) {
      logger.warn(
        { err: failure },
        loaded ? 'configuration is served from memory' : 'configuration cannot be loaded yet',
      );
    }
    this.#away = true;
  }

  #isThere(): void {
    this.outage.answered();
    if (this.#away) this.#options.logger.info({}, 'configuration is current again');
    this.#away = false;
    this.#loaded?.resolve();
    this.#loaded = null;
  }

  /** False when that failed: what is held may be half of it, and everything is read anew. */
  #put(delta: ConfigDelta): boolean {
    try {
      this.#apply(delta);
      this.#held = delta.version;
      return true;
    } catch (error) {
      this.#options.logger.error({ err: error, version: delta.version }, 'a change of the configuration failed');
      this.#held = 0;
      void this.#thread?.terminate();
      return false;
    }
  }

  #apply(delta: ConfigDelta): void {
    const { logger, onApplied, onOutboundTrunks, onTrunkRevoked } = this.#options;
    if (delta.unreadable.length > 0) {
      logger.error({ rows: delta.unreadable }, 'secrets do not open with this SECRETS_KEY');
    }
    const revoked = this.snapshot.apply(delta);
    onApplied(delta.version);
    if (changesOutboundTrunks(delta)) onOutboundTrunks();
    for (const trunkId of revoked) {
      logger.info({ trunkId }, 'trunk revoked');
      onTrunkRevoked(trunkId);
    }
  }
}

function changesOutboundTrunks({ full, outboundTrunks, deleted, unreadable, suspended }: ConfigDelta): boolean {
  return (
    full ||
    outboundTrunks.length > 0 ||
    [...deleted, ...unreadable, ...suspended].some(({ kind }) => kind === 'outbound_trunk')
  );
}
