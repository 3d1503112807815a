import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ApiRequestSeen {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface ApiReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body: unknown;
}

/** A small HTTP server that answers as a test says and remembers what it was asked. */
export class FakeApiServer {
  readonly requests: ApiRequestSeen[] = [];
  /** By `METHOD /path`, without the query. */
  readonly routes = new Map<string, (request: ApiRequestSeen, url: URL) => ApiReply>();
  readonly #server: Server;
  #url = '';

  private constructor() {
    this.#server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const { method = '', url: path = '', headers } = incoming;
        const text = Buffer.concat(chunks).toString('utf8');
        const request = { method, path, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
        this.requests.push(request);
        const url = new URL(path, 'http://server');
        const {
          status = 200,
          headers: more,
          body,
        } = this.routes.get(`${method} ${url.pathname}`)?.(request, url) ?? {
          status: 404,
          body: errorOf(404, 'not_found', 'No such route'),
        };
        response.writeHead(status, { 'content-type': 'application/json', ...more });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  }

  static async start(): Promise<FakeApiServer> {
    const api = new FakeApiServer();
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    api.#url = `http://127.0.0.1:${(api.#server.address() as AddressInfo).port}`;
    return api;
  }

  get url(): string {
    return this.#url;
  }

  on(route: string, body: unknown, status = 200): void {
    this.routes.set(route, () => ({ status, body }));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function errorOf(statusCode: number, code: string, message: string, more: object = {}): object {
  return { statusCode, message, error: 'Error', code, requestId: 'req-1', ...more };
}
