/**
 * How long a request may take to arrive. Node has one such limit for the whole server, and a list of a million contacts
 * takes longer than any other request may: each request has its own clock here, which a route of uploads may set anew.
 */
import type { IncomingMessage, Server } from 'node:http';

export interface UploadPace {
  /** Without a byte from the client, while we wait for it. */
  readonly idleMs: number;
  readonly totalMs: number;
}

const clocks = new WeakMap<IncomingMessage, { readonly late: () => void; timer: NodeJS.Timeout }>();

/** What is late is answered as what Node finds late itself (`unparsed-requests.ts`). */
export function limitRequestTime(server: Server, limitMs: number): void {
  // Before whoever answers it.
  server.prependListener('request', (request) => {
    // Of one without a body all is there.
    if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) return;
    const late = (): void => {
      if (request.complete || request.destroyed) return;
      const error = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      server.emit('clientError', error, request.socket);
    };
    const clock = { late, timer: setTimeout(late, limitMs).unref() };
    clocks.set(request, clock);
    request.once('close', () => clearTimeout(clock.timer));
  });
}

/** From now on the request may take longer, as long as it goes on. */
export function allowUpload(request: IncomingMessage, { idleMs, totalMs }: UploadPace): void {
  const clock = clocks.get(request);
  if (clock === undefined) return;
  clearTimeout(clock.timer);
  const startedMs = performance.now();
  const { socket } = request;
  let seen = socket.bytesRead;
  const watch = (): void => {
    // What has arrived and is not read yet is waiting for us.
    const idle = socket.bytesRead === seen && request.readableLength === 0;
    if (idle || performance.now() - startedMs >= totalMs) return clock.late();
    seen = socket.bytesRead;
    clock.timer = setTimeout(watch, idleMs).unref();
  };
  clock.timer = setTimeout(watch, idleMs).unref();
}
