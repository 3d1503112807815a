/**
 * What the API is measured beside: Koa with the same router, parser and schemas, that validates a request and answers, and
 * knows nothing of keys, organisations or a database. `BARE_PAGE` is what it answers to a list of calls.
 */
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa from 'koa';

import { callsQuery } from '../api/schemas/call';
import { contactCreated, contactWrite } from '../api/schemas/contact';

const page: unknown = JSON.parse(process.env['BARE_PAGE'] ?? 'null');
const router = new Router();
router.get('/phone/calls', (ctx) => {
  callsQuery.parse(ctx.query);
  ctx.body = page;
});
router.post('/contacts', (ctx) => {
  contactWrite.parse(ctx.request.body);
  ctx.status = 201;
  ctx.body = contactCreated.parse({ id: '01900000-0000-7000-8000-000000000000' });
});

new Koa().use(bodyParser()).use(router.routes()).listen(Number(process.env['BARE_PORT']), '127.0.0.1');
