import { bodyParser } from '@koa/bodyparser';
import type { Context } from 'koa';

import { ApiError, invalid } from '../errors';

const LIMIT = '256kb';
/** The parser's words for valid JSON with a field that would be the prototype of what it stands in. */
const PROTOTYPE_FIELD = 'Object contains forbidden prototype property';

/**
 * Reads a JSON body, `{}` where there is none: 413 over the limit, 415 for another type, 400 for what is not JSON or names
 * a prototype.
 */
export function requestBody(): (ctx: Context) => Promise<unknown> {
  const parse = bodyParser({
    enableTypes: ['json'],
    // The type was looked at below; the parser's own list would read others as an empty body.
    detectJSON: () => true,
    jsonLimit: LIMIT,
    encoding: 'utf-8',
    onError: (error) => {
      throw translate(error);
    },
  });
  return async (ctx) => {
    if (hasBody(ctx) && !ctx.is('json', '+json')) {
      throw new ApiError(415, 'unsupported_media_type', 'Send the body as application/json');
    }
    const charset = ctx.request.charset;
    if (charset !== '' && charset.toLowerCase() !== 'utf-8') {
      throw new ApiError(415, 'unsupported_media_type', 'JSON bodies are UTF-8');
    }
    await parse(ctx, async () => undefined);
    return (ctx.request as { body?: unknown }).body ?? {};
  };
}

function hasBody(ctx: Context): boolean {
  return ctx.get('Transfer-Encoding') !== '' || Number(ctx.get('Content-Length')) > 0;
}

function translate(error: Error & { status?: number }): ApiError {
  if (error instanceof ApiError) return error;
  if (error.status === 413) return new ApiError(413, 'body_too_large', 'The body is too large');
  if (error.status === 415) {
    return new ApiError(415, 'unsupported_media_type', 'Unknown content encoding', { cause: error });
  }
  if (error.message === PROTOTYPE_FIELD) {
    return invalid([{ path: '', message: 'must not have a field named "__proto__", at any depth' }]);
  }
  return new ApiError(400, 'malformed_json', 'The body is not valid JSON', { cause: error });
}
