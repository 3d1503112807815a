/** The OpenAPI 3.1 document, made from the same declarations that validate and dispatch. */
import type { z } from 'zod';

import type { ErrorStatus } from './errors';
import { CONNECTION_ERRORS, errorResponses, integerHeader } from './openapi-errors';
import { OPERATIONS_TAG, operationsPaths } from './openapi-operations';
import { INTRODUCTION } from './openapi-introduction';
import { isList } from './list-caching';
import { SchemaComponents } from './openapi-schema';
import type { JsonSchema } from './openapi-schema';
import type { Route } from './route';
import { errorBody } from './schemas/primitives';

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, unknown>>;
  readonly paths: Readonly<Record<string, Record<string, JsonSchema>>>;
  readonly [section: string]: unknown;
}

export function buildOpenApi(routes: readonly Route[], version: string): OpenApiDocument {
  const components = new SchemaComponents();
  components.add(errorBody, 'output');
  const paths: Record<string, Record<string, JsonSchema>> = {};
  Object.assign(paths, operationsPaths(components));
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trunkline',
      version,
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    tags: tagsOf(routes).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `tl_live_…`' } },
      schemas: components.toJSON(),
    },
  };
}

/** In the order in which one needs them; what is not listed comes after. */
const TAG_ORDER = [
  'Agents',
  'Inbound trunk',
  'Outbound trunks',
  'Agent SIP configuration',
  'Calls',
  'Campaigns',
  'Do not call',
  'Numbers',
  'API keys',
  'Audit log',
  'Organisations',
];

function tagsOf(routes: readonly Route[]): readonly string[] {
  const used = new Set(routes.map((route) => route.tag));
  const ordered = TAG_ORDER.filter((tag) => used.delete(tag));
  return [...ordered, ...used, OPERATIONS_TAG];
}

/** Statuses and codes a route may answer besides its success. */
function errorsOf(route: Route): Map<ErrorStatus, string[]> {
  const errors = new Map<ErrorStatus, string[]>();
  const add = (status: ErrorStatus, ...codes: readonly string[]): void => {
    errors.set(status, [...(errors.get(status) ?? []), ...codes]);
  };
  if (route.body !== undefined || route.query !== undefined) add(400, 'validation_failed');
  if (route.query !== undefined && 'cursor' in route.query.shape) add(422, 'cursor_of_another_list');
  if (route.body !== undefined) {
    add(400, 'malformed_json');
    add(413, 'body_too_large');
    add(415, 'unsupported_media_type');
  }
  if (route.idempotency !== undefined) {
    add(400, 'invalid_idempotency_key');
    add(409, 'idempotency_in_flight');
    add(422, 'idempotency_mismatch');
  }
  add(401, 'unauthorized');
  add(403, 'missing_scope', 'organisation_suspended', ...(route.operatorOnly ? ['operator_only'] : []));
  if (route.params !== undefined) add(404, `${route.resource.replaceAll(' ', '_')}_not_found`);
  add(429, 'rate_limited');
  add(500, 'internal_error');
  add(503, 'database_unavailable', 'query_timeout', 'database_refuses_writes');
  for (const [status, codes] of Object.entries(route.errors ?? {})) add(Number(status) as ErrorStatus, ...codes);
  for (const [status, codes] of CONNECTION_ERRORS) add(status, ...codes);
  return errors;
}

function operation(route: Route, components: SchemaComponents): JsonSchema {
  const success = String(route.successStatus ?? 200);
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    'x-required-scope': route.scope,
    ...(route.operatorOnly ? { 'x-operator-only': true } : {}),
    parameters: [
      ...parameters(route.params, 'path', components),
      ...parameters(route.query, 'query', components),
      ...(route.idempotency === undefined ? [] : [idempotencyHeader]),
      ...(isList(route) ? [ifNoneMatchHeader] : []),
    ],
    ...(route.body === undefined ? {} : { requestBody: requestBody(route, route.body, components) }),
    responses: {
      [success]: {
        description: 'Success',
        headers: responseHeaders(route),
        content: {
          [route.csvAnswer === true ? 'text/csv' : 'application/json']: {
            schema: components.add(route.response, 'output'),
            example: route.responseExample,
          },
        },
      },
      ...(isList(route)
        ? { 304: { description: 'The same list as with this tag', headers: responseHeaders(route) } }
        : {}),
      ...errorResponses(errorsOf(route)),
    },
  };
}

function requestBody(route: Route, schema: z.ZodObject, components: SchemaComponents): JsonSchema {
  return {
    required: !schema.safeParse({}).success,
    content: {
      'application/json': {
        schema: components.add(schema, 'input'),
        ...(route.requestExample === undefined ? {} : { example: route.requestExample }),
      },
      ...(route.uploadExample === undefined
        ? {}
        : { 'text/csv': { schema: { type: 'string' }, example: route.uploadExample } }),
    },
  };
}

function parameters(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  components: SchemaComponents,
): JsonSchema[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = components.addProperties(schema, 'input');
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

const idempotencyHeader: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body within 24 h gives the same answer, with `Idempotent-Replayed: true`.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const ifNoneMatchHeader: JsonSchema = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of an answer that the client has kept: 304 while the list is the same.',
  schema: { type: 'string' },
};

function responseHeaders(route: Route): JsonSchema {
  return {
    'X-Request-Id': { schema: { type: 'string' } },
    'RateLimit-Limit': integerHeader('Requests per minute of this key'),
    'RateLimit-Remaining': integerHeader('Requests left now'),
    'RateLimit-Reset': integerHeader('Seconds until all are there again'),
    ...(isList(route) ? { ETag: { description: 'Of this list as it is', schema: { type: 'string' } } } : {}),
    ...(route.idempotency === undefined
      ? {}
      : { 'Idempotent-Replayed': { description: '`true` on a saved answer', schema: { type: 'string' } } }),
  };
}
