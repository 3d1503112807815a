import { randomUUID } from 'node:crypto';

import type { Middleware } from 'koa';

/** Anything else could forge log lines or headers further down. */
const SAFE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** `X-Request-Id` of the client when it is harmless, else one of ours; echoed on every answer. */
export function requestId(): Middleware {
  return async (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    const id = SAFE_REQUEST_ID.test(given) ? given : randomUUID();
    ctx.state['requestId'] = id;
    ctx.set('X-Request-Id', id);
    ctx.set('X-Content-Type-Options', 'nosniff');
    await next();
  };
}
