/** One request through a declared route: key, scope, rate, body, validation, handler, answer. */
import { createHash } from 'node:crypto';

import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';

import { ApiError, notFound } from './errors';
import { authenticate, requireOperator, requireScope } from './middleware/auth';
import type { Authenticator } from './middleware/auth';
import { requestBody } from './middleware/request-body';
import { assertStorable } from './middleware/storable';
import { validated } from './middleware/validate';
import type { Principal, Route, RouteRequest } from './route';

/** The router of one resource. */
export function createRouter(routes: readonly Route[], authenticator: Authenticator): Router {
  const router = new Router();
  const readBody = requestBody();
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const handlers: Middleware[] = [admit(route, authenticator)];
    if (route.body !== undefined) handlers.push(readBody);
    handlers.push(run(route));
    router[route.method](path, ...(handlers as [Middleware]));
  }
  return router;
}

function admit(route: Route, authenticator: Authenticator): Middleware {
  return async (ctx, next) => {
    ctx.state['route'] = route.path;
    // Answers show credentials and people's numbers: no cache on the way may keep them.
    ctx.set('Cache-Control', 'no-store');
    const principal = await authenticate(ctx, authenticator, route.streaming === true);
    ctx.state['principal'] = principal;
    requireScope(principal, route.scope);
    if (route.operatorOnly) requireOperator(principal);
    await next();
  };
}

function run(route: Route): Middleware {
  // Once: a schema costs far more to make than to ask.
  const body = route.body === undefined ? undefined : z.looseObject({}).pipe(route.body);
  return async (ctx) => {
    const request = readRequest(ctx, route, body);
    const result = await route.handle(request as RouteRequest<never, never, never>);
    ctx.status = result.status ?? request.successStatus;
    for (const [name, value] of Object.entries(result.headers ?? {})) ctx.set(name, value);
    ctx.body = result.body;
    ctx.type = 'application/json';
  };
}

function readRequest(ctx: Context, route: Route, body: z.ZodType | undefined): RouteRequest<unknown, unknown, unknown> {
  const principal = ctx.state['principal'] as Principal;
  const requestId = String(ctx.state['requestId']);
  const raw = (ctx.request as { body?: unknown }).body ?? {};
  assertStorable(raw);
  if (route.query !== undefined) assertStorable(ctx.query);
  const params = readParams(ctx, route);
  return {
    principal,
    actor: { orgId: principal.orgId, keyId: principal.keyId, requestId },
    params,
    query: route.query === undefined ? {} : validated(route.query, ctx.query),
    body: body === undefined ? {} : validated(body, raw),
    route: `${route.method.toUpperCase()} ${route.path}`,
    successStatus: route.successStatus ?? 200,
    // The route is its template: one key for two agents is two requests.
    bodyHash: hashOf(route.params === undefined ? raw : [params, raw]),
    idempotencyKey: route.idempotency === undefined ? null : readIdempotencyKey(ctx),
  };
}

/** An id that is no UUID names nothing, like an unknown one. */
function readParams(ctx: Context, route: Route): unknown {
  if (route.params === undefined) return {};
  const result = route.params.safeParse(ctx['params'] ?? {});
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
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(body)) ?? 'null')
    .digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return ['array', ...value.map(sortKeys)];
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return ['object', ...entries.map(([key, inner]) => [key, sortKeys(inner)])];
}
