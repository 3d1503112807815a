/** Every error of a request becomes an answer here. */
import type { Context, Middleware } from 'koa';

import type { Logger } from '../../ops/logger';
import { PlanRefusal } from '../../store/dialling/plan-refusal';
import { isDatabaseUnavailable, isStatementTimeout, isWriteRefusal, StoreError } from '../../store/errors';
import { ApiError, errorAnswer, unavailable } from '../errors';
import { fromPlanRefusal, fromStoreError } from '../store-errors';

export function errorHandler(logger: Logger): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      writeError(ctx, translate(error), logger);
    }
  };
}

function translate(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof PlanRefusal) return fromPlanRefusal(error);
  const known = error instanceof StoreError ? fromStoreError(error) : undefined;
  if (known !== undefined) return known;
  if (isStatementTimeout(error)) {
    return unavailable('query_timeout', 'The database took too long; ask for less, or again later', error);
  }
  if (isWriteRefusal(error)) return unavailable('database_refuses_writes', 'The database cannot store anything', error);
  if (isDatabaseUnavailable(error)) {
    return unavailable('database_unavailable', 'The database is not reachable', error);
  }
  return new ApiError(500, 'internal_error', 'Something went wrong on this server', { cause: error });
}

function writeError(ctx: Context, error: ApiError, logger: Logger): void {
  const requestId = String(ctx.state['requestId'] ?? '');
  const { retryAfterSeconds, headers } = error.options;
  if (error.status >= 500) {
    const log = error.status === 500 ? logger.error.bind(logger) : logger.warn.bind(logger);
    log({ requestId, code: error.code, route: ctx.state['route'], err: error.options.cause }, 'request failed');
  }
  ctx.status = error.status;
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  if (error.status === 401) ctx.set('WWW-Authenticate', 'Bearer');
  for (const [name, value] of Object.entries(headers ?? {})) ctx.set(name, value);
  ctx.body = errorAnswer(error, requestId);
}
