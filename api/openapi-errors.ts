/** The errors of an operation as its responses in the document. */
import { REASON_PHRASES } from './errors';
import type { ErrorStatus } from './errors';
import type { JsonSchema } from './openapi-schema';

type ErrorCodes = ReadonlyMap<ErrorStatus, readonly string[]>;

/** Of the connection, before there is a request: any operation can be answered so (`limited-server.ts`). */
export const CONNECTION_ERRORS: ErrorCodes = new Map<ErrorStatus, readonly string[]>([
  [400, ['malformed_request']],
  [408, ['request_timeout']],
  [413, ['body_too_large']],
  [431, ['request_headers_too_large']],
]);

export const integerHeader = (description: string): JsonSchema => ({ description, schema: { type: 'integer' } });

export function errorResponses(errors: ErrorCodes): Record<string, JsonSchema> {
  const responses: Record<string, JsonSchema> = {};
  for (const [status, codes] of [...errors].sort(([a], [b]) => a - b)) {
    const [first] = codes;
    responses[status] = {
      description: `${REASON_PHRASES[status]}: ${[...new Set(codes)].map((code) => `\`${code}\``).join(', ')}`,
      ...(status === 429 || status === 503 ? { headers: { 'Retry-After': integerHeader('Seconds') } } : {}),
      content: {
        'application/json': {
          schema: { $ref: '#/components/schemas/Error' },
          example: {
            statusCode: status,
            message: REASON_PHRASES[status],
            error: REASON_PHRASES[status],
            code: first ?? 'error',
            requestId: '0f1e7c9a-6a1c-4c0e-8f5e-5b1f3a0f6a1b',
          },
        },
      },
    };
  }
  return responses;
}
