/** One request through a declared route: key, scope, rate, body, validation, handler, answer. */
import { hash } from 'node:crypto';
import { Readable } from 'node:stream';

import type { Context } from 'koa';
import { z } from 'zod';

import { ApiError, notFound } from './errors';
import { isList, writeList } from './list-caching';
import { authenticate, requireOperator, requireScope } from './middleware/auth';
import type { Authenticator } from './middleware/auth';
import { requestBody } from './middleware/request-body';
import { assertStorable } from './middleware/storable';
import { validated } from './middleware/validate';
import { allowUpload } from './request-clock';
import type { UploadPace } from './request-clock';
import type { Principal, Route, RouteAnswer, RouteRequest, UploadRequest } from './route';
import type { PathParams, TableRoute } from './route-table';

const readBody = requestBody();

/** A slow line of some 100 kB/s brings the longest list in this time; a client that has stopped is not waited for. */
const UPLOAD_PACE: UploadPace = { idleMs: 20_000, totalMs: 900_000 };

/** What is left of a body that was refused is passed over for so long. */
const REFUSED_PACE: UploadPace = { idleMs: 5_000, totalMs: 30_000 };

/** How the table of routes reaches a declared one. */
export function tableRoute(route: Route, authenticator: Authenticator): TableRoute {
  // Once: a schema costs far more to make than to ask.
  const body = route.body === undefined ? undefined : z.looseObject({}).pipe(route.body);
  const { method, path } = route;
  const write = isList(route) ? answerList : answerOnce;
  return {
    method,
    path,
    handle: async (ctx, params) => {
      const principal = await admit(ctx, route, authenticator);
      if (isUpload(ctx, route)) return write(ctx, route, await takeUpload(ctx, { route, principal, params }));
      const raw = body === undefined ? {} : await readBody(ctx);
      const request = readRequest(ctx, { route, principal, params, raw, body });
      write(ctx, route, await route.handle(request as RouteRequest<never, never, never>));
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

type Write = (ctx: Context, route: Route, result: RouteAnswer) => void;

const answerList: Write = (ctx, _route, { body }) => {
  ctx.status = 200;
  writeList(ctx, body);
};

const answerOnce: Write = (ctx, route, result) => {
  ctx.status = result.status ?? route.successStatus ?? 200;
  for (const [name, value] of Object.entries(result.headers ?? {})) ctx.set(name, value);
  ctx.body = result.body;
  ctx.type = route.csvAnswer === true ? 'text/csv; charset=utf-8' : 'application/json';
  // Half an answer must not look like a whole one.
  if (result.body instanceof Readable) result.body.once('error', () => ctx.res.destroy());
};

const isUpload = (ctx: Context, route: Route): boolean =>
  route.upload !== undefined && ctx.is('text/csv') === 'text/csv';

async function takeUpload(ctx: Context, received: Admitted): Promise<RouteAnswer> {
  const { upload } = received.route;
  if (upload === undefined) throw new TypeError('the route takes no upload');
  const charset = ctx.request.charset.toLowerCase();
  const encoding = ctx.get('Content-Encoding').toLowerCase();
  if (!['', 'utf-8', 'utf8'].includes(charset) || !['', 'identity'].includes(encoding)) {
    throw new ApiError(415, 'unsupported_media_type', 'CSV is sent in UTF-8, without Content-Encoding');
  }
  allowUpload(ctx.req, UPLOAD_PACE);
  try {
    // Whoever stops reading has not ended the connection: the answer still goes that way.
    const source = ctx.req.iterator({ destroyOnReturn: false });
    const request: UploadRequest<unknown, unknown> = { ...readHead(ctx, received), source };
    return await upload(request as UploadRequest<never, never>);
  } catch (error) {
    // Clients read no answer before they have sent all, and lose it when the connection breaks under them.
    allowUpload(ctx.req, REFUSED_PACE);
    ctx.req.resume();
    throw error;
  }
}

interface Admitted {
  readonly route: Route;
  readonly principal: Principal;
  readonly params: PathParams;
}

interface Received extends Admitted {
  readonly raw: unknown;
  readonly body: z.ZodType | undefined;
}

function readRequest(ctx: Context, received: Received): RouteRequest<unknown, unknown, unknown> {
  const { route, raw, body } = received;
  assertStorable(raw);
  const head = readHead(ctx, received);
  const valid = body === undefined ? {} : validated(body, raw);
  const idempotencyKey = route.idempotency === undefined ? null : readIdempotencyKey(ctx);
  return {
    ...head,
    body: valid,
    // The route is its template: one key for two agents is two requests.
    bodyHash: idempotencyKey === null ? '' : hashOf(route.params === undefined ? raw : [head.params, raw]),
    idempotencyKey,
  };
}

type RequestHead = Omit<RouteRequest<unknown, unknown, unknown>, 'body' | 'bodyHash' | 'idempotencyKey'>;

function readHead(ctx: Context, { route, principal, params }: Admitted): RequestHead {
  const requestId = String(ctx.state['requestId']);
  if (route.query !== undefined) assertStorable(ctx.query);
  return {
    principal,
    actor: { orgId: principal.orgId, keyId: principal.keyId, requestId },
    params: readParams(route, params),
    query: route.query === undefined ? {} : validated(route.query, ctx.query),
    route: `${route.method.toUpperCase()} ${route.path}`,
    successStatus: route.successStatus ?? 200,
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
