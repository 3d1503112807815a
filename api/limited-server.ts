import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';

import { limitRequestTime } from './request-clock';
import { answerUnparsed } from './unparsed-requests';

interface ConnectionLimits {
  /**
   * At once; one beyond it is closed without a word. A reverse proxy keeps some dozens and clients without one a few
   * each, while each costs a descriptor and some 10 KB, of which other sockets and PostgreSQL's need their share too.
   */
  readonly maxConnections: number;
  /** A connection whose request has not brought its headers by then is closed, a silent one too. */
  readonly headersMs: number;
  /** The same for the whole request; uploads have a time of their own (`request-clock.ts`). */
  readonly requestMs: number;
}

const DEFAULT_LIMITS: ConnectionLimits = { maxConnections: 2_000, headersMs: 10_000, requestMs: 30_000 };
/** How often Node looks for connections that are late. */
const CHECKS_PER_HEADERS_LIMIT = 5;

/** An HTTP server that clients who connect and send nothing, or too slowly, cannot use up. */
export function createLimitedServer(listener: RequestListener, limits: Partial<ConnectionLimits> = {}): Server {
  const { maxConnections, headersMs, requestMs } = { ...DEFAULT_LIMITS, ...limits };
  const options = {
    headersTimeout: headersMs,
    // Kept per request.
    requestTimeout: 0,
    connectionsCheckingInterval: headersMs / CHECKS_PER_HEADERS_LIMIT,
  };
  const server = createServer(options, listener);
  server.maxConnections = maxConnections;
  answerUnparsed(server);
  limitRequestTime(server, requestMs);
  return server;
}
