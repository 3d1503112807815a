/** Requests over kept connections to one server, at a rate or as many as it takes. */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { seededRandom } from '../test/support/seeded-random';
import { HttpConnection } from './http-connection';

export interface HttpRequest {
  /** What it is to the server, whatever its method. */
  readonly kind: 'read' | 'write';
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface OpenLoop {
  readonly readMs: readonly number[];
  readonly writeMs: readonly number[];
  /** How long after they were due requests left: what of the times above is the load's own. */
  readonly lateMs: readonly number[];
  /** By status, of answers other than 2xx; `error` where none came. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Longer than any of the server's own limits. */
const ANSWERED_WITHIN_MS = 30_000;

export class HttpLoad {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #random = seededRandom(1);

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = new URL(url);
    this.#headers = headers;
  }

  /**
   * Requests come as those of many clients do, who do not know of each other: `perSecond` on average, at times several
   * at once. They leave when they are due, however many are unanswered, and each is timed from when it was due: a server
   * that stands still is charged for all that would have come meanwhile.
   */
  async atRate(next: (n: number) => HttpRequest, perSecond: number, seconds: number): Promise<OpenLoop> {
    const times = { read: [] as number[], write: [] as number[] };
    const lateMs: number[] = [];
    const refused: Record<string, number> = {};
    const pending: Promise<void>[] = [];
    const began = performance.now();
    let dueMs = began;
    for (let n = 0; n < perSecond * seconds; n += 1) {
      // Exponential gaps: a Poisson process.
      dueMs += (-Math.log(1 - this.#random()) * 1000) / perSecond;
      while (performance.now() < dueMs) await sleep(1);
      lateMs.push(performance.now() - dueMs);
      const request = next(n);
      const due = dueMs;
      pending.push(
        this.send(request).then((status) => {
          times[request.kind].push(performance.now() - due);
          if (status < 200 || status > 299) refused[status || 'error'] = (refused[status || 'error'] ?? 0) + 1;
        }),
      );
    }
    await Promise.all(pending);
    return { readMs: times.read, writeMs: times.write, lateMs, refused };
  }

  /** As many at a time as there are connections. */
  async saturated(
    next: (n: number) => HttpRequest,
    connections: number,
    seconds: number,
  ): Promise<{ readonly perSecond: number; readonly answered: number }> {
    const opened = await Promise.all(
      Array.from({ length: connections }, () => HttpConnection.open(this.#url, this.#headers)),
    );
    const began = performance.now();
    const endMs = began + seconds * 1000;
    let sent = 0;
    let answered = 0;
    const keepAsking = async (connection: HttpConnection): Promise<void> => {
      while (performance.now() < endMs) {
        const status = await connection.send(next(sent++));
        if (status < 200 || status > 299) throw new Error(`answered ${status} at saturation`);
        answered += 1;
      }
    };
    try {
      await Promise.all(opened.map(keepAsking));
      return { perSecond: (answered * 1000) / (performance.now() - began), answered };
    } finally {
      for (const connection of opened) connection.close();
    }
  }

  /** The status of the whole answer, 0 without one. */
  async send({ method, path, body, headers }: HttpRequest): Promise<number> {
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
          headers: { 'content-type': 'application/json', ...length, ...this.#headers, ...headers },
          timeout: ANSWERED_WITHIN_MS,
        },
        (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode ?? 0));
          response.once('error', () => resolve(0));
        },
      );
      outgoing.once('timeout', () => outgoing.destroy());
      outgoing.once('error', () => resolve(0));
      outgoing.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
