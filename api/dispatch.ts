/** One request through a declared route: key, scope, rate, body, validation, handler, answer. */
import { hash } from 'node:crypto';

import type { Context } from 'koa';
import { z } from 'zod';

import { ApiError, notFound } from './errors';
import { authenticate, requireOperator, requireScope } from './middleware/auth';
import type { Authenticator } from './middleware/auth';
import { requestBody } from './middleware/request-body';
import { assertStorable } from './middleware/storable';
import { validated } from './middleware/validate';
import type { Principal, Route, RouteRequest } from './route';
import type { PathParams, TableRoute } from './route-table';

const readBody = requestBody();

/** How the table of routes reaches a declared one. */
export function tableRoute(route: Route, authenticator: Authenticator): TableRoute {
  // Once: a schema costs far more to make than to ask.
  const body = route.body === undefined ? undefined : z.looseObject({}).pipe(route.body);
  const { method, path } = route;
  return {
    method,
    path,
    handle: async (ctx, params) => {
      const principal = await admit(ctx, route, authenticator);
      const raw = body === undefined ? {} : await readBody(ctx);
      const request = readRequest(ctx, { route, principal, params, raw, body });
      const result = await route.handle(request as RouteRequest<never, never, never>);
      ctx.status = result.status ?? request.successStatus;
      for (const [name, value] of Object.entries(result.headers ?? {})) ctx.set(name, value);
      ctx.body = result.body;
      ctx.type = 'application/json';
    },
  };
}

async function admit(ctx: Context, route: Route, authenticator: Authenticator): Promise<Principal> {
  ctx.state['route'] = route.path;
  // Answers show credentials and people's numbers: no cache on the way may keep them.
  ctx.set('Cache-Control', 'no-store');
  const principal = await authenticate(ctx, authenticator, route.streaming === true);
  requireScope(principal, route.scope);
  if (route.operatorOnly) requireOperator(principal);
  return principal;
}

interface Received {
  readonly route: Route;
  readonly principal: Principal;
  readonly params: PathParams;
  readonly raw: unknown;
  readonly body: z.ZodType | undefined;
}

function readRequest(ctx: Context, received: Received): RouteRequest<unknown, unknown, unknown> {
  const { route, principal, raw, body } = received;
  const requestId = String(ctx.state['requestId']);
  assertStorable(raw);
  if (route.query !== undefined) assertStorable(ctx.query);
  const params = readParams(route, received.params);
  const query = route.query === undefined ? {} : validated(route.query, ctx.query);
  const valid = body === undefined ? {} : validated(body, raw);
  const idempotencyKey = route.idempotency === undefined ? null : readIdempotencyKey(ctx);
  return {
    principal,
    actor: { orgId: principal.orgId, keyId: principal.keyId, requestId },
    params,
    query,
    body: valid,
    route: `${route.method.toUpperCase()} ${route.path}`,
    successStatus: route.successStatus ?? 200,
    // The route is its template: one key for two agents is two requests.
    bodyHash: idempotencyKey === null ? '' : hashOf(route.params === undefined ? raw : [params, raw]),
    idempotencyKey,
  };
}

/** An id that is no UUID names nothing, like an unknown one. */
function readParams(route: Route, params: PathParams): unknown {
  if (route.params === undefined) return {};
  const result = route.params.safeParse(params);
  if (!result.success) throw notFound(route.resource);
  return result.data;
}

function readIdempotencyKey(ctx: Context): string | null {
  // As they were sent: joined, two of them would be one key, and another one in the other order.
  const [key, ...others] = ctx.req.headersDistinct['idempotency-key'] ?? [];
  if (key === undefined) return null;
  // An empty one is a client whose variable is not set: its repeats would each be a call.
  if (others.length === 0 && /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new ApiError(400, 'invalid_idempotency_key', 'Idempotency-Key takes 1 to 255 printable ASCII characters, once');
}

/** SHA-256 of the body as JSON with sorted keys: the order in which a client writes them says nothing. */
function hashOf(body: unknown): string {
  return hash('sha256', JSON.stringify(sortKeys(body)) ?? 'null');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return ['array', ...value.map(sortKeys)];
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return ['object', ...entries.map(([key, inner]) => [key, sortKeys(inner)])];
}
