/** The HTTP API of the embedded Temporal server: it spares the supervisor the gRPC client. */

const NAMESPACE = 'default';
const ANSWER_MS = 2_000;
/** SQLITE_INTERRUPT, as the server's own words have it. */
const INTERRUPTED = /\binterrupted \(9\)/;

/** Of our namespace. */
export function namespaceUrl(httpPort: number): string {
  return `http://127.0.0.1:${httpPort}/api/v1/namespaces/${NAMESPACE}`;
}

/** With a body: POST. Rejects for an answer other than 2xx, and for none in time. */
export async function ask(url: string, body?: unknown): Promise<unknown> {
  const answer = await request(url, body);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

/**
 * Whether the server cannot read its own database any more. A request that is given up in the middle of a statement, as
 * happens on a machine without time, interrupts its one connection to SQLite; where the statement is never finished, the
 * interrupt stays, and every later one fails with it until the server is started anew. Silence says nothing: a server
 * that is busy, or was stopped by a signal, recovers.
 */
export async function isInterruptedForGood(httpPort: number): Promise<boolean> {
  try {
    const answer = await request(namespaceUrl(httpPort));
    return answer.status === 503 && INTERRUPTED.test(await answer.text());
  } catch {
    return false; // it does not answer: whether it lives is told by its process
  }
}

function request(url: string, body?: unknown): Promise<Response> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), ...(body === undefined ? {} : post) });
}
