import { z } from 'zod';

import { fieldsSet } from '../../store/patch';
import type { PatchOf } from '../../store/patch';
import type {
  OutboundTrunkPatch,
  OutboundTrunkRecord,
  OutboundTrunkSettings,
} from '../../store/repositories/outbound-trunk-repository';
import type { Changes } from '../changes';
import { invalid, notFound } from '../errors';
import { answer, route } from '../route';
import type { Route, RouteAnswer, RouteRequest } from '../route';
import {
  outboundTrunkChangedExample,
  outboundTrunkDeletedExample,
  outboundTrunkExample,
  outboundTrunkSummaryExample,
} from '../schemas/examples';
import {
  outboundTrunk,
  outboundTrunkChanged,
  outboundTrunkCreate,
  outboundTrunkDeleted,
  outboundTrunkName,
  outboundTrunkPatch,
  outboundTrunkSummary,
} from '../schemas/outbound-trunk';
import type { OutboundTrunkRequest } from '../schemas/outbound-trunk';
import { forceQuery, idParams } from '../schemas/primitives';
import type { ApiStore } from '../store';
import { assertTargetHost } from '../target-url';
import { trunkHealthView } from '../trunk-health-view';
import { outboundTrunkAuditView, outboundTrunkSavedView, outboundTrunkSummaryView, outboundTrunkView } from '../views';
import { assertIdle } from './idle-trunk';

export interface OutboundTrunkRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
  readonly allowPrivateTargets: boolean;
}

const PATH = '/phone/sip/outbound-trunks';
const TAG = { tag: 'Outbound trunks', resource: 'outbound trunk' } as const;

export function outboundTrunkRoutes(deps: OutboundTrunkRouteDeps): readonly Route[] {
  const { store, changes } = deps;
  return [
    route({
      ...TAG,
      method: 'get',
      path: PATH,
      operationId: 'listOutboundTrunks',
      summary: 'All outbound trunks, oldest first',
      scope: 'sip:read',
      response: z.array(outboundTrunkSummary),
      responseExample: [outboundTrunkSummaryExample],
      handle: async ({ principal: { orgId } }) => {
        const rows = await store.forOrg(orgId).read((org) => org.outboundTrunks.list(orgId));
        return answer(rows.map(outboundTrunkSummaryView));
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: PATH,
      operationId: 'createOutboundTrunk',
      summary: "Create an outbound trunk with the SIP provider's credentials",
      scope: 'sip:write',
      body: outboundTrunkCreate,
      response: outboundTrunkSummary,
      errors: { 422: ['emergency_number', 'private_target', 'srtp_unavailable'] },
      requestExample: {
        name: 'My SIP Provider',
        host: 'sip.provider.com',
        username: 'user',
        password: 'pass',
        caller_number: '+15551234567',
      },
      responseExample: outboundTrunkSummaryExample,
      idempotency: 'plain',
      handle: async (request) => {
        const { name, host, port, transport, username, password, caller_number: callerNumber } = request.body;
        assertTargets(request.body, deps.allowPrivateTargets);
        return changes.run(request, async (tx, org) => {
          const carrier = { name, host, port, transport, username, password, callerNumber };
          const input = { ...fieldsSet<OutboundTrunkSettings>(settingsOf(request.body)), ...carrier };
          const row = await org.outboundTrunks.create(tx, request.principal.orgId, input);
          assertPrefix(row);
          const after = outboundTrunkAuditView(row);
          return {
            body: outboundTrunkSavedView(row),
            audit: { action: 'create', resource: 'outbound_trunk', resourceId: row.id, after },
          };
        });
      },
    }),
    route({
      ...TAG,
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getOutboundTrunk',
      summary: 'One outbound trunk, without its password',
      scope: 'sip:read',
      params: idParams,
      response: outboundTrunk,
      responseExample: outboundTrunkExample,
      handle: async ({ principal: { orgId }, params }) =>
        store.forOrg(orgId).read(async (org) => {
          const row = await org.outboundTrunks.find(orgId, params.id);
          if (row === null) throw notFound('outbound trunk');
          const health = trunkHealthView(await org.trunkHealth.find(orgId, row.id), row, Date.now());
          const users = (await org.agents.list(orgId)).filter((agent) => agent.outboundTrunkId === row.id);
          return answer({ ...outboundTrunkView(row), health, agents: users.map(({ id, name }) => ({ id, name })) });
        }),
    }),
    route({
      ...TAG,
      method: 'put',
      path: `${PATH}/{id}`,
      operationId: 'renameOutboundTrunk',
      summary: 'Rename an outbound trunk',
      scope: 'sip:write',
      params: idParams,
      body: outboundTrunkName,
      response: outboundTrunkSummary,
      requestExample: { name: 'My other SIP provider' },
      responseExample: { ...outboundTrunkSummaryExample, name: 'My other SIP provider' },
      handle: (request) => update(deps, request, { name: request.body.name }, outboundTrunkSummaryView),
    }),
    route({
      ...TAG,
      method: 'patch',
      path: `${PATH}/{id}`,
      operationId: 'updateOutboundTrunk',
      summary: 'Change an outbound trunk; fields left out stay as they are, calls that run go on as they began',
      scope: 'sip:write',
      params: idParams,
      body: outboundTrunkPatch,
      response: outboundTrunkChanged,
      errors: { 422: ['emergency_number', 'private_target', 'srtp_unavailable'] },
      requestExample: { host: 'sip2.provider.com', port: 5080 },
      responseExample: outboundTrunkChangedExample,
      handle: (request) => {
        const { name, host, port, transport, username, password, caller_number: callerNumber } = request.body;
        assertTargets(request.body, deps.allowPrivateTargets);
        const carrier = { name, host, port, transport, username, password, callerNumber };
        return update(deps, request, { ...settingsOf(request.body), ...carrier }, outboundTrunkView);
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: `${PATH}/{id}`,
      operationId: 'deleteOutboundTrunk',
      summary: 'Delete an outbound trunk; agents that dialled through it have none afterwards',
      scope: 'sip:write',
      params: idParams,
      query: forceQuery,
      response: outboundTrunkDeleted,
      errors: { 409: ['trunk_has_active_calls'] },
      responseExample: outboundTrunkDeletedExample,
      handle: async (request) => {
        const { orgId } = request.principal;
        return changes.run(request, async (tx, org) => {
          const found = await org.outboundTrunks.find(orgId, request.params.id);
          if (found === null) throw notFound('outbound trunk');
          if (request.query.force !== 'true') await assertIdle(org, orgId, found.id);
          const gone = await org.outboundTrunks.delete(tx, orgId, request.params.id);
          if (gone === null) throw notFound('outbound trunk');
          return {
            body: { id: gone.id, deleted: true, detached: gone.detached },
            audit: {
              action: 'delete',
              resource: 'outbound_trunk',
              resourceId: gone.id,
              before: outboundTrunkAuditView(gone.before),
            },
          };
        });
      },
    }),
  ];
}

function settingsOf(body: OutboundTrunkRequest): PatchOf<OutboundTrunkSettings> {
  return {
    mediaTimeoutSeconds: body.media_timeout_seconds,
    register: body.register,
    optionsPing: body.options_ping,
    callerNumbers: body.caller_numbers,
    gateways: body.gateways,
    codecs: body.codecs,
    dtmfMode: body.dtmf_mode,
    maxConcurrentCalls: body.max_concurrent_calls,
    maxCallsPerSecond: body.max_calls_per_second,
    numberFormat: body.number_format,
    numberPrefix: body.number_prefix,
    fromHost: body.from_host,
    headers: body.headers,
    passCallerId: body.pass_caller_id,
    transportStrict: body.transport_strict,
    allowedCountries: body.allowed_countries,
  };
}

function assertTargets({ host, gateways = [] }: OutboundTrunkRequest, allowPrivate: boolean): void {
  if (host !== undefined) assertTargetHost('host', host, allowPrivate);
  for (const [i, gateway] of gateways.entries()) assertTargetHost(`gateways.${i}.host`, gateway.host, allowPrivate);
}

/** What it is after the change, whichever part of it was changed. */
function assertPrefix({ numberFormat, numberPrefix }: OutboundTrunkRecord): void {
  if (numberFormat !== 'prefix' || numberPrefix !== '') return;
  throw invalid([{ path: 'number_prefix', message: 'number_format prefix needs one' }]);
}

async function update(
  { changes }: OutboundTrunkRouteDeps,
  request: RouteRequest<{ readonly id: string }, unknown, unknown>,
  patch: OutboundTrunkPatch,
  view: (row: OutboundTrunkRecord) => object,
): Promise<RouteAnswer> {
  return changes.run(request, async (tx, org) => {
    const { orgId } = request.principal;
    const found = await org.outboundTrunks.find(orgId, request.params.id);
    if (found === null) throw notFound('outbound trunk');
    const row = await org.outboundTrunks.update(tx, orgId, found.id, patch);
    assertPrefix(row);
    const before = outboundTrunkAuditView(found);
    // That a password was changed is said, not which.
    const after = {
      ...outboundTrunkAuditView(row),
      ...(patch.password === undefined ? {} : { password_changed: true }),
    };
    return {
      body: view(row),
      audit: { action: 'update', resource: 'outbound_trunk', resourceId: row.id, before, after },
    };
  });
}
