import type { NodeBoot } from '../contract/nodes';
import { CONFIG_CHANNEL, configSince } from '../store/config-changes';
import type { AskConfig } from '../store/config-changes';
import { FailFastClient } from '../store/fail-fast-client';
import { MediaNodeRepository } from '../store/repositories/media-node-repository';
import { SecretOpener } from '../store/secrets';
import type { ConfigLook, ConfigThreadOptions } from './config-messages';

const CONNECT_MS = 2_000;
const RETRY_MS = 500;
/** A silent server is given up after this. */
const ANSWER_MS = 6_000;
/** For all there is, which a large server takes its time to read. */
const EVERYTHING_MS = 60_000;
/**
 * That it acts on a version is said again by the node's next sign of life: nobody waits for the disk because of it. What has
 * changed is asked often: planned once, for whatever version, which PostgreSQL would take to be that of a third of all rows.
 */
const BEGIN = `SET synchronous_commit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
  LISTEN ${CONFIG_CHANNEL}`;

/**
 * Follows the configuration in PostgreSQL, on one connection that listens and asks:
 *
 *     connecting → looking ⇄ resting → closed
 *          ↑__________|_________|     the connection broke
 *
 * A rest ends by `NOTIFY`, by a request, and after `checkMs`: a notification that was lost with its connection, or because
 * the process stood still, costs no more than that. Each look asks for what is above the version that was given last, and
 * whatever happened in between, the sum of all answers is what one full answer would be.
 */
export class ConfigFeed {
  readonly #options: ConfigThreadOptions;
  readonly #report: (look: ConfigLook) => void;
  readonly #secrets: SecretOpener;
  #version: number;
  #request: number;
  /** The one that has answered. */
  #client: FailFastClient | null = null;
  #closed = false;
  /** There is something to look for. */
  #due = false;
  #endRest: (() => void) | null = null;

  constructor(options: ConfigThreadOptions, report: (look: ConfigLook) => void) {
    this.#options = options;
    this.#report = report;
    this.#secrets = new SecretOpener(options.openingKeys);
    this.#version = options.version;
    this.#request = options.request;
  }

  /** Resolves when it is closed. */
  async run(): Promise<void> {
    while (!this.#closed) {
      const beganMs = performance.now();
      await this.#follow();
      // What broke after a while may be there again at once; a server that is away is asked now and then.
      if (performance.now() - beganMs >= RETRY_MS) continue;
      this.#due = false;
      await this.#rest(RETRY_MS);
    }
  }

  look(request: number): void {
    this.#request = request;
    this.#wake();
  }

  /** Without a connection it is not said: see `BEGIN`. */
  acting(boot: NodeBoot, version: number): void {
    const client = this.#client;
    if (client === null) return;
    const query = async (text: string, values: unknown[] = []): Promise<any> => client.query(text, values);
    new MediaNodeRepository({ query }).configured(boot, version).catch(() => undefined); // see `BEGIN`
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async #follow(): Promise<void> {
    const client = new FailFastClient({
      connectionString: this.#options.databaseUrl,
      application_name: 'trunkline-configuration',
      connectionTimeoutMillis: CONNECT_MS,
      answerTimeoutMs: ANSWER_MS,
      keepAlive: true,
    });
    const connection: { failure: Error | null; over: boolean } = { failure: null, over: false };
    const broke = (error: Error): void => {
      connection.failure ??= error;
      if (!connection.over) this.#wake();
    };
    client.on('error', broke);
    client.on('end', () => broke(new Error('the connection ended')));
    client.on('notification', () => this.#wake());
    try {
      await client.connect();
      await client.query(BEGIN);
      this.#client = client;
      while (!this.#closed) {
        await this.#look(client);
        await this.#rest(this.#options.checkMs);
        if (connection.failure !== null) throw connection.failure;
      }
    } catch (error) {
      this.#report({ request: this.#request, delta: null, failure: error as Error });
    } finally {
      this.#client = null;
      connection.over = true;
      client.end().catch(() => undefined); // it was broken already
    }
  }

  async #look(client: FailFastClient): Promise<void> {
    this.#due = false;
    const request = this.#request;
    const ask: AskConfig = async (text, values, { all }) => {
      const [answer] = await client.group([{ text, values }], all ? EVERYTHING_MS : ANSWER_MS);
      return answer?.rows ?? [];
    };
    const delta = await configSince(ask, this.#secrets, this.#version);
    const changed = delta.full || delta.version !== this.#version;
    this.#report({ request, delta: changed ? delta : null, failure: null });
    this.#version = delta.version;
  }

  #wake(): void {
    this.#due = true;
    this.#endRest?.();
  }

  async #rest(ms: number): Promise<void> {
    if (this.#due || this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endRest = null;
  }
}
