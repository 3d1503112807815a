/** `/health`, `/ready`, `/metrics`: for whoever operates the process, without a key. */
import type { Context } from 'koa';
import type { Registry } from 'prom-client';

import { SharedReadiness } from '../readiness';
import type { ReadinessProbe } from '../readiness';
import type { TableRoute } from '../route-table';

export function operationsRoutes(probes: readonly ReadinessProbe[], registry: Registry): readonly TableRoute[] {
  const shared = new SharedReadiness(probes);
  // The path is a label of the metrics: one spelling each.
  const operation = (path: string, handle: (ctx: Context) => Promise<void> | void): TableRoute => ({
    method: 'get',
    path,
    exact: true,
    handle: (ctx) => {
      ctx.state['route'] = path;
      return handle(ctx);
    },
  });
  return [
    operation('/health', (ctx) => {
      ctx.body = { status: 'ok' };
    }),
    operation('/ready', async (ctx) => {
      const report = await shared.report();
      ctx.status = report.status === 'ready' ? 200 : 503;
      if (ctx.status === 503) ctx.set('Retry-After', '2');
      ctx.body = report;
    }),
    operation('/metrics', async (ctx) => {
      ctx.type = registry.contentType;
      ctx.body = await registry.metrics();
    }),
  ];
}
