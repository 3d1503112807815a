import type { Connection } from './connection';
import { EXIT } from './exit-code';
import { CliFailure, isErrorBody, RefusedByApi } from './failure';

/** Longer than the API lets anything take. */
const ANSWER_LIMIT_MS = 30_000;
const MAX_PAGE = 100;
const MIN_WAIT_MS = 1_000;

export type QueryValues = Readonly<Record<string, string | number | undefined>>;

export interface ApiPage<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

interface RequestOptions {
  readonly query?: QueryValues;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  /** For the answer, beyond what others take. */
  readonly longerMs?: number;
}

/** The REST API: answers bodies, throws {@link CliFailure}. */
export class ApiClient {
  readonly #connection: Connection;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(connection: Connection, sleep: (ms: number) => Promise<unknown>) {
    this.#connection = connection;
    this.#sleep = sleep;
  }

  get<Body>(path: string, query: QueryValues = {}): Promise<Body> {
    return this.request('GET', path, { query });
  }

  /** One page after the other; a list of more pages than a key may ask for in a minute takes longer than that. */
  async *pages<Item>(path: string, query: QueryValues = {}): AsyncGenerator<ApiPage<Item>> {
    let cursor = query['cursor'];
    do {
      const page = await this.#page<Item>(path, { ...query, limit: query['limit'] ?? MAX_PAGE, cursor });
      yield page;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  async #page<Item>(path: string, query: QueryValues): Promise<ApiPage<Item>> {
    for (;;) {
      try {
        return await this.get(path, query);
      } catch (error) {
        if (!(error instanceof RefusedByApi) || error.status !== 429 || error.retryAfterMs === null) throw error;
        await this.#sleep(Math.max(error.retryAfterMs, MIN_WAIT_MS));
      }
    }
  }

  async request<Body>(method: string, path: string, options: RequestOptions = {}): Promise<Body> {
    const response = await this.#send(method, path, options);
    const body = await this.#bodyOf(response);
    if (response.ok && body !== undefined) return body as Body;
    if (isErrorBody(body)) throw new RefusedByApi(body, retryAfterMs(response));
    const message = `${this.#connection.baseUrl} answered ${response.status}, and not as a Trunkline API does`;
    throw new CliFailure(EXIT.unreachable, 'not_trunkline', message);
  }

  async #send(method: string, path: string, options: RequestOptions): Promise<Response> {
    const { query, body, idempotencyKey, longerMs = 0 } = options;
    const limitMs = ANSWER_LIMIT_MS + longerMs;
    const { baseUrl, apiKey } = this.#connection;
    const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${apiKey}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey;
    try {
      return await fetch(`${baseUrl}${path}${queryText(query)}`, {
        method,
        headers,
        // The key goes to whom it was meant for alone.
        redirect: 'manual',
        signal: AbortSignal.timeout(limitMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw this.#unreachable(error, limitMs);
    }
  }

  async #bodyOf(response: Response): Promise<unknown> {
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    }
    try {
      return JSON.parse(text);
    } catch {
      return undefined; // something else answered
    }
  }

  #unreachable(error: unknown, limitMs = ANSWER_LIMIT_MS): CliFailure {
    const { name, message: text, cause } = error as Error & { cause?: { code?: string; message?: string } };
    const why = name === 'TimeoutError' ? `not within ${limitMs / 1000} s` : (cause?.code ?? cause?.message ?? text);
    const message = `The API at ${this.#connection.baseUrl} does not answer: ${why}`;
    return new CliFailure(EXIT.unreachable, 'unreachable', message, { cause: error });
  }
}

function queryText(query: QueryValues = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}

/** Trunkline's are seconds; a date, which proxies may send, counts as none. */
function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
