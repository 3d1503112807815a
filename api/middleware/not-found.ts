import type Router from '@koa/router';
import type { Middleware } from 'koa';

import { ApiError } from '../errors';

/**
 * Before any route is asked: 404 for a path that none has, 405 with `Allow` for a method that its routes do not take. A path
 * that is spelled out is never what a parameter of another stands for: `PATCH /phone/calls` is no agent called "calls".
 */
export function notFoundOrNotAllowed(routers: readonly Router[]): Middleware {
  return async (ctx, next) => {
    const matched = routers.flatMap((router) => router.match(ctx.path, ctx.method).path);
    const layers = matched.filter((layer) => layer.methods.length > 0);
    const fewest = Math.min(...layers.map((layer) => layer.paramNames.length));
    const meant = layers.filter((layer) => layer.paramNames.length === fewest);
    const methods = new Set(meant.flatMap((layer) => layer.methods));
    if (methods.size === 0) throw new ApiError(404, 'route_not_found', 'No such route');
    if (methods.has(ctx.method)) return next();
    const allow = [...methods].sort().join(', ');
    throw new ApiError(405, 'method_not_allowed', `This path takes ${allow}`, { headers: { Allow: allow } });
  };
}
