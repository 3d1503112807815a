import type { Middleware } from 'koa';
import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Logger } from '../../ops/logger';

/** Counts and times every request by route template and logs it: paths hold ids only, queries are left out. */
export function requestMetrics(registry: Registry, logger: Logger): Middleware {
  const requests = new Counter({
    name: 'trunkline_http_requests_total',
    help: 'HTTP requests answered, by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'trunkline_http_request_duration_seconds',
    help: 'Time from request to answer',
    labelNames: ['method', 'route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return async (ctx, next) => {
    const startedMs = performance.now();
    await next();
    const seconds = (performance.now() - startedMs) / 1000;
    const route = String(ctx.state['route'] ?? 'none');
    const method = ctx.state['route'] === undefined ? 'any' : ctx.method;
    requests.inc({ method, route, status: ctx.status });
    duration.observe({ method, route }, seconds);
    logger.debug({ requestId: ctx.state['requestId'], method, route, status: ctx.status, seconds }, 'request');
  };
}
