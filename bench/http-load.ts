/** Requests over kept connections to one server, at a rate or as many as it takes. */
import { setTimeout as sleep } from 'node:timers/promises';

import { seededRandom } from '../test/support/seeded-random';
import { HttpConnection } from './http-connection';

export interface HttpRequest {
  /** What it is to the server, whatever its method. */
  readonly kind: 'read' | 'write';
  /** What is told of the times of those that are alike; default: its path. */
  readonly route?: string;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface OpenLoop {
  readonly readMs: readonly number[];
  readonly writeMs: readonly number[];
  readonly byRoute: ReadonlyMap<string, readonly number[]>;
  /** How long after they were due requests left: what of the times above is the load's own. */
  readonly lateMs: readonly number[];
  /** By status, of answers other than 2xx; `error` where none came. */
  readonly refused: Readonly<Record<string, number>>;
}

/** A server may close what is idle for longer; with those used last taken first, most of the others are. */
const IDLE_AT_MOST_MS = 2_000;

interface IdleConnection {
  readonly connection: HttpConnection;
  readonly sinceMs: number;
}

export class HttpLoad {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  /** The one used last is the last. */
  readonly #idle: IdleConnection[] = [];
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
    const byRoute = new Map<string, number[]>();
    const lateMs: number[] = [];
    const refused: Record<string, number> = {};
    const pending: Promise<void>[] = [];
    const began = performance.now();
    let dueMs = began;
    for (let n = 0; n < perSecond * seconds; n += 1) {
      // Exponential gaps: a Poisson process.
      dueMs += (-Math.log(1 - this.#random()) * 1000) / perSecond;
      for (let left = dueMs - performance.now(); left > 0; left = dueMs - performance.now()) await sleep(left);
      lateMs.push(performance.now() - dueMs);
      const request = next(n);
      const due = dueMs;
      pending.push(
        this.send(request).then((status) => {
          const tookMs = performance.now() - due;
          times[request.kind].push(tookMs);
          const route = `${request.method} ${request.route ?? request.path}`;
          const alike = byRoute.get(route);
          if (alike === undefined) byRoute.set(route, [tookMs]);
          else alike.push(tookMs);
          if (status < 200 || status > 299) refused[status || 'error'] = (refused[status || 'error'] ?? 0) + 1;
        }),
      );
    }
    await Promise.all(pending);
    return { readMs: times.read, writeMs: times.write, byRoute, lateMs, refused };
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
        if ((status < 200 || status > 299) && status !== 304) throw new Error(`answered ${status} at saturation`);
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

  /** The status of the whole answer, 0 without one. As many connections as there are requests at a time. */
  async send(request: HttpRequest): Promise<number> {
    const last = this.#idle.pop();
    try {
      const connection = last !== undefined && isFresh(last) ? last.connection : await this.#another(last);
      const status = await connection.send(request);
      this.#idle.push({ connection, sinceMs: performance.now() });
      return status;
    } catch {
      // Counted by whoever asked.
      return 0;
    }
  }

  close(): void {
    for (const { connection } of this.#idle.splice(0)) connection.close();
  }

  async #another(last: IdleConnection | undefined): Promise<HttpConnection> {
    // Where the one used last is of no use, none is.
    last?.connection.close();
    if (last !== undefined) this.close();
    return HttpConnection.open(this.#url, this.#headers);
  }
}

function isFresh({ connection, sinceMs }: IdleConnection): boolean {
  return !connection.closed && performance.now() - sinceMs < IDLE_AT_MOST_MS;
}
