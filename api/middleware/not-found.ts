import type Router from '@koa/router';
import type { Middleware } from 'koa';

import { ApiError } from '../errors';

/** What no route answered: 405 with `Allow` when the path exists, else 404. */
export function notFoundOrNotAllowed(routers: readonly Router[]): Middleware {
  return async (ctx) => {
    const layers = routers.flatMap((router) => router.match(ctx.path, ctx.method).path);
    const methods = new Set(layers.flatMap((layer) => layer.methods));
    if (methods.size === 0) throw new ApiError(404, 'route_not_found', 'No such route');
    const allow = [...methods].sort().join(', ');
    throw new ApiError(405, 'method_not_allowed', `This path takes ${allow}`, { headers: { Allow: allow } });
  };
}
