/** The part of the document for those who operate the process: no key, no limit. */
import { z } from 'zod';

import { CONNECTION_ERRORS, errorResponses } from './openapi-errors';
import type { JsonSchema, SchemaComponents } from './openapi-schema';
import { readinessReport } from './readiness';

export const OPERATIONS_TAG = 'Operations';

const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

export function operationsPaths(components: SchemaComponents): Record<string, Record<string, JsonSchema>> {
  const base = (operationId: string, summary: string): JsonSchema => ({
    operationId,
    summary,
    tags: [OPERATIONS_TAG],
    security: [],
  });
  const readiness = (example: z.output<typeof readinessReport>): JsonSchema => ({
    'application/json': { schema: components.add(readinessReport, 'output'), example },
  });
  const connectionErrors = errorResponses(CONNECTION_ERRORS);
  const there = { api: 'ok', postgresql: 'ok', temporal: 'ok', media_node: 'ok' } as const;
  return {
    '/health': {
      get: {
        ...base('getHealth', 'The process lives'),
        responses: {
          ...connectionErrors,
          '200': {
            description: 'Success',
            content: { 'application/json': { schema: components.add(health, 'output'), example: { status: 'ok' } } },
          },
        },
      },
    },
    '/ready': {
      get: {
        ...base('getReadiness', 'Calls can be served: database, Temporal and a media node are there'),
        responses: {
          ...connectionErrors,
          '200': { description: 'Success', content: readiness({ status: 'ready', checks: there, missing: [] }) },
          '503': {
            description: 'Something is missing',
            content: readiness({
              status: 'not_ready',
              checks: { ...there, media_node: 'missing' },
              missing: ['media_node'],
            }),
          },
        },
      },
    },
    '/metrics': {
      get: {
        ...base('getMetrics', 'Metrics in the text format of Prometheus'),
        responses: {
          ...connectionErrors,
          '200': {
            description: 'Success',
            content: { 'text/plain': { schema: { type: 'string' }, example: 'trunkline_http_requests_total 1' } },
          },
        },
      },
    },
  };
}
