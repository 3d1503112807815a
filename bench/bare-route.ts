/**
 * What the API is measured beside: Koa with the same table of routes, parser and schemas, that validates a request and answers, and
 * knows nothing of keys, organisations or a database. `BARE_PAGE` is what it answers to a list of calls.
 */
import Koa from 'koa';

import { requestBody } from '../api/middleware/request-body';
import { dispatch, RouteTable } from '../api/route-table';
import { callsQuery } from '../api/schemas/call';
import { contactCreated, contactWrite } from '../api/schemas/contact';

const page: unknown = JSON.parse(process.env['BARE_PAGE'] ?? 'null');
const readBody = requestBody();
const table = new RouteTable([
  {
    method: 'get',
    path: '/phone/calls',
    handle: (ctx) => {
      callsQuery.parse(ctx.query);
      ctx.body = page;
    },
  },
  {
    method: 'post',
    path: '/contacts',
    handle: async (ctx) => {
      contactWrite.parse(await readBody(ctx));
      ctx.status = 201;
      ctx.body = contactCreated.parse({ id: '01900000-0000-7000-8000-000000000000' });
    },
  },
]);

new Koa().use(dispatch(table)).listen(Number(process.env['BARE_PORT']), '127.0.0.1');
