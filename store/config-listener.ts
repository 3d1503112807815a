/**
 * Hears of configuration changes at once: `LISTEN` on a connection of its own, which is opened again for ever after it
 * broke. `onChange` is also called after each (re)connect, since a notification sent meanwhile is lost. Whoever must not
 * miss a change checks the counter as well.
 */
import { Client } from 'pg';
import { CONFIG_CHANNEL } from './repositories/config-repository';

export interface ConfigListenerOptions {
  readonly url: string;
  readonly onChange: () => void;
  readonly onError?: (error: Error) => void;
  /** Default 500. */
  readonly reconnectMs?: number;
}

export class ConfigListener {
  readonly #options: ConfigListenerOptions;
  #client: Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ConfigListenerOptions) {
    this.#options = options;
  }

  /** Returns at once; the first connection is made in the background. */
  start(): void {
    if (!this.#closed && !this.#client) void this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined); // it is going away either way
  }

  async #connect(): Promise<void> {
    const client = new Client({
      connectionString: this.#options.url,
      application_name: 'trunkline-config-listener',
      connectionTimeoutMillis: 2000,
      keepAlive: true,
    });
    this.#client = client;
    client.on('notification', () => this.#options.onChange());
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${CONFIG_CHANNEL}`);
      if (this.#client === client) this.#options.onChange();
    } catch (error) {
      this.#lost(client, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #lost(client: Client, error?: Error): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    if (error) this.#options.onError?.(error);
    client.end().catch(() => undefined); // broken already
    this.#retry = setTimeout(() => void this.#connect(), this.#options.reconnectMs ?? 500);
  }
}
