/** `/health`, `/ready`, `/metrics`: for whoever operates the process, without a key. */
import Router from '@koa/router';
import type { Registry } from 'prom-client';

import { SharedReadiness } from '../readiness';
import type { ReadinessProbe } from '../readiness';

export function operationsRouter(probes: readonly ReadinessProbe[], registry: Registry): Router {
  // The path is a label of the metrics: one spelling each.
  const router = new Router({ sensitive: true, strict: true });
  const shared = new SharedReadiness(probes);
  router.use(async (ctx, next) => {
    ctx.state['route'] = ctx.path;
    await next();
  });
  router.get('/health', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/ready', async (ctx) => {
    const report = await shared.report();
    ctx.status = report.status === 'ready' ? 200 : 503;
    if (ctx.status === 503) ctx.set('Retry-After', '2');
    ctx.body = report;
  });
  router.get('/metrics', async (ctx) => {
    ctx.type = registry.contentType;
    ctx.body = await registry.metrics();
  });
  return router;
}
