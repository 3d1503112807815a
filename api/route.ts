/** What a route declares: the one source of its validation, its dispatch and its OpenAPI operation. */
import type { z } from 'zod';

import type { ErrorStatus } from './errors';

export const SCOPES = [
  'phone:read',
  'phone:write',
  'sip:read',
  'sip:write',
  'contacts:read',
  'contacts:write',
  'training:read',
  'training:write',
  'actions:read',
  'actions:write',
  'webhooks:read',
  'webhooks:write',
  'org:read',
  'org:write',
] as const;
export type Scope = (typeof SCOPES)[number];

export interface Principal {
  readonly keyId: string;
  readonly orgId: string;
  /** `full` skips every check of scopes. */
  readonly scopes: readonly string[];
  /** The server's operator may vouch for numbers and manages organisations. */
  readonly operator: boolean;
  /** The organisation is: nothing is done for it. */
  readonly suspended: boolean;
  /** Null for a key that does not end. */
  readonly keyExpiresAt: Date | null;
}

/** Who changes what, for audit rows. */
export interface Actor {
  readonly orgId: string;
  readonly keyId: string;
  readonly requestId: string;
}

export interface RouteRequest<Params, Query, Body> {
  readonly principal: Principal;
  readonly actor: Actor;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Method and path template, `POST /phone`: with it an Idempotency-Key is remembered. */
  readonly route: string;
  readonly successStatus: number;
  /** SHA-256 of the body as sent, key order aside; empty without a key. */
  readonly bodyHash: string;
  /** Null where the route takes none. */
  readonly idempotencyKey: string | null;
}

/** A request whose body is CSV: it is read as it comes, and has no hash. */
export type UploadRequest<Params, Query> = Omit<
  RouteRequest<Params, Query, never>,
  'body' | 'bodyHash' | 'idempotencyKey'
> & {
  readonly source: AsyncIterable<Buffer>;
};

export interface RouteAnswer {
  /** A stream: CSV. */
  readonly body: unknown;
  /** Default the route's success status. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A status and the codes it may carry on this route, beyond those every route has. */
type RouteErrors = Partial<Readonly<Record<ErrorStatus, readonly string[]>>>;

interface RouteDocs {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** What the path's id names, for its 404: `agent` → `agent_not_found`. */
  readonly resource: string;
  readonly errors?: RouteErrors;
  readonly requestExample?: unknown;
  /** Of a body of CSV, where the route takes one. */
  readonly uploadExample?: string;
  readonly responseExample: unknown;
}

export interface RouteDefinition<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodObject = z.ZodObject,
> extends RouteDocs {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `{name}` parameters. */
  readonly path: string;
  readonly scope: Scope;
  /** For keys of the server's operator alone. */
  readonly operatorOnly?: true;
  /** Its answer stays open: counted at the rate of streams (`RATE_LIMIT_STREAMING_PER_MINUTE`). */
  readonly streaming?: true;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly response: z.ZodType;
  /** Its answer is CSV, a stream. */
  readonly csvAnswer?: true;
  /** Default 200. */
  readonly successStatus?: 200 | 201;
  /** `plain`: the transaction of the change saves the answer with the key (`Changes`). `handler`: the handler derives its ids from the key. */
  readonly idempotency?: 'plain' | 'handler';
  readonly handle: (request: RouteRequest<z.output<Params>, z.output<Query>, z.output<Body>>) => Promise<RouteAnswer>;
  /** For a body of the type text/csv, beside JSON. */
  readonly upload?: (request: UploadRequest<z.output<Params>, z.output<Query>>) => Promise<RouteAnswer>;
}

/** A route with its types settled, as the router and the OpenAPI document take it. */
export interface Route extends Omit<RouteDefinition, 'handle' | 'upload'> {
  readonly handle: (request: RouteRequest<never, never, never>) => Promise<RouteAnswer>;
  readonly upload?: (request: UploadRequest<never, never>) => Promise<RouteAnswer>;
}

export function route<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodObject>(
  definition: RouteDefinition<Params, Query, Body>,
): Route {
  return definition as unknown as Route;
}

export const answer = (body: unknown, extra: Omit<RouteAnswer, 'body'> = {}): RouteAnswer => ({ body, ...extra });
