import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Registry } from 'prom-client';

export interface Readiness {
  readonly ready: boolean;
  /** What it depends on, each with its state, for example `{ temporal: 'ok', postgres: 'unreachable' }`. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface OpsServerOptions {
  readonly host: string;
  /** 0: any free port, see {@link OpsServer.port}. */
  readonly port: number;
  readonly registry: Registry;
  readonly readiness: () => Promise<Readiness> | Readiness;
}

/** Probes and a scraper need a few; more is somebody who holds connections open. */
const MAX_CONNECTIONS = 200;

/** `/health`, `/ready` and `/metrics` of a process that has no API of its own. */
export class OpsServer {
  readonly #options: OpsServerOptions;
  readonly #server: Server;

  constructor(options: OpsServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Throws what `listen` throws, for example EADDRINUSE. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const path = (request.url ?? '/').split('?', 1)[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') send(response, 405, { error: 'method_not_allowed' });
      else if (path === '/health') send(response, 200, { status: 'ok' });
      else if (path === '/ready') {
        const { ready, checks } = await this.#options.readiness();
        send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', checks });
      } else if (path === '/metrics') {
        const metrics = await this.#options.registry.metrics();
        response.writeHead(200, { 'content-type': this.#options.registry.contentType }).end(metrics);
      } else send(response, 404, { error: 'not_found' });
    } catch {
      // A check or a collector threw: the answer says so, the process goes on.
      if (!response.headersSent) send(response, 500, { error: 'internal' });
      else response.destroy();
    }
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
