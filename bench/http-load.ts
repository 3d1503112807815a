/** Requests over kept connections to one server, at a rate or as many as it takes. */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HttpRequest {
  readonly kind: 'read' | 'write';
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
}

export interface OpenLoop {
  readonly readMs: readonly number[];
  readonly writeMs: readonly number[];
  /** By status, of answers other than 2xx; `error` where none came. */
  readonly refused: Readonly<Record<string, number>>;
}

export class HttpLoad {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = new URL(url);
    this.#headers = headers;
  }

  /**
   * Requests leave when they are due, however many are unanswered, and each is timed from when it was due: a server that
   * stands still is charged for all that would have come meanwhile.
   */
  async atRate(next: (n: number) => HttpRequest, perSecond: number, seconds: number): Promise<OpenLoop> {
    const times = { read: [] as number[], write: [] as number[] };
    const refused: Record<string, number> = {};
    const began = performance.now();
    const pending: Promise<void>[] = [];
    for (let n = 0; n < perSecond * seconds; n += 1) {
      const dueMs = began + (n * 1000) / perSecond;
      while (performance.now() < dueMs) await sleep(1);
      const request = next(n);
      pending.push(
        this.send(request).then((status) => {
          times[request.kind].push(performance.now() - dueMs);
          if (status < 200 || status > 299) refused[status || 'error'] = (refused[status || 'error'] ?? 0) + 1;
        }),
      );
    }
    await Promise.all(pending);
    return { readMs: times.read, writeMs: times.write, refused };
  }

  /** Answered requests per second with as many at a time as there are connections. */
  async saturated(next: (n: number) => HttpRequest, connections: number, seconds: number): Promise<number> {
    const began = performance.now();
    const endMs = began + seconds * 1000;
    let sent = 0;
    let answered = 0;
    const keepAsking = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const status = await this.send(next(sent++));
        if (status < 200 || status > 299) throw new Error(`answered ${status} at saturation`);
        answered += 1;
      }
    };
    await Promise.all(Array.from({ length: connections }, keepAsking));
    return Math.round((answered * 1000) / (performance.now() - began));
  }

  /** The status of the whole answer, 0 without one. */
  async send({ method, path, body }: HttpRequest): Promise<number> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) };
    return new Promise((resolve) => {
      const outgoing = httpRequest(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path,
          headers: { 'content-type': 'application/json', ...length, ...this.#headers },
        },
        (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode ?? 0));
          response.once('error', () => resolve(0));
        },
      );
      outgoing.once('error', () => resolve(0));
      outgoing.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
