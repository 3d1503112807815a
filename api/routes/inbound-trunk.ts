import type { z } from 'zod';

import { StoreError } from '../../store/errors';
import type { InboundTrunkPatch, InboundTrunkRecord } from '../../store/repositories/inbound-trunk-repository';
import type { Changes } from '../changes';
import type { ConfigPropagation } from '../config-propagation';
import { impossible, notFound } from '../errors';
import type { InboundTrunkEndpoint } from '../inbound-trunk-endpoint';
import { trunkNumbers } from '../inbound-trunk-numbers';
import { answer, route } from '../route';
import type { Route } from '../route';
import { inboundTrunkDeletedExample, inboundTrunkExample, registeredTrunkExample } from '../schemas/examples';
import {
  credentialsRotate,
  inboundTrunk,
  inboundTrunkCreate,
  inboundTrunkDeleted,
  inboundTrunkPatch,
} from '../schemas/inbound-trunk';
import { forceQuery } from '../schemas/primitives';
import type { ApiStore } from '../store';
import { inboundTrunkAuditView, inboundTrunkView, registrationView } from '../views';
import { assertIdle } from './idle-trunk';

export interface InboundTrunkRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
  readonly propagation: ConfigPropagation;
  readonly sipEndpoint: InboundTrunkEndpoint;
}

const PATH = '/phone/sip/inbound-trunk';
const TAG = { tag: 'Inbound trunk', resource: 'inbound trunk' } as const;

export function inboundTrunkRoutes(deps: InboundTrunkRouteDeps): readonly Route[] {
  const { store, changes, propagation, sipEndpoint } = deps;
  return [
    route({
      ...TAG,
      method: 'post',
      path: PATH,
      operationId: 'createInboundTrunk',
      summary: 'Create the inbound trunk: SIP endpoint and credentials for the phone system',
      scope: 'sip:write',
      body: inboundTrunkCreate,
      response: inboundTrunk,
      errors: { 409: ['inbound_trunk_exists', 'number_taken'], 422: ['number_not_verified', 'emergency_number'] },
      requestExample: { phone_numbers: ['+15551234567'], krisp_enabled: true },
      responseExample: inboundTrunkExample,
      idempotency: 'plain',
      handle: async (request) => {
        const endpoint = await sipEndpoint.current();
        const change = changes.run(request, async (tx, org) => {
          const { orgId } = request.principal;
          if ((await org.inboundTrunks.find(orgId)) !== null) throw trunkExists();
          const { phoneNumbers, notes } = await trunkNumbers(org, tx, orgId, request.body.phone_numbers);
          const { krisp_enabled: krispEnabled, media_timeout_seconds: mediaTimeoutSeconds } = request.body;
          const input = { phoneNumbers, krispEnabled, mediaTimeoutSeconds };
          const row = await org.inboundTrunks.create(tx, orgId, input);
          const after = inboundTrunkAuditView(row);
          return {
            body: inboundTrunkView(row, endpoint),
            audit: [...notes, { action: 'create', resource: 'inbound_trunk', resourceId: row.id, after }],
          };
        });
        return propagation.awaited(change);
      },
    }),
    route({
      ...TAG,
      method: 'get',
      path: PATH,
      operationId: 'getInboundTrunk',
      summary: 'The inbound trunk with its credentials, and the phone systems that are registered with them',
      scope: 'sip:read',
      response: inboundTrunk,
      errors: { 404: ['inbound_trunk_not_found'] },
      responseExample: registeredTrunkExample,
      handle: async ({ principal: { orgId } }) => {
        const { row, registered } = await store.forOrg(orgId).read(async (org) => {
          const found = await org.inboundTrunks.find(orgId);
          return { row: found, registered: found === null ? [] : await org.registrations.ofTrunk(orgId, found.id) };
        });
        if (row === null) throw notFound('inbound trunk');
        const registrations = registered.map(registrationView);
        const view = { ...inboundTrunkView(row, await sipEndpoint.current()), registrations };
        return answer((await propagation.isBehind(row.version)) ? { ...view, propagating: true } : view);
      },
    }),
    route({
      ...TAG,
      method: 'patch',
      path: PATH,
      operationId: 'updateInboundTrunk',
      summary: 'Change settings of the inbound trunk; fields left out stay as they are',
      scope: 'sip:write',
      body: inboundTrunkPatch,
      response: inboundTrunk,
      errors: {
        404: ['inbound_trunk_not_found'],
        409: ['ip_allowlist_taken'],
        422: ['ip_allowlist_empty', 'srtp_unavailable'],
      },
      requestExample: { media_timeout_seconds: 60 },
      responseExample: { ...inboundTrunkExample, media_timeout_seconds: 60 },
      handle: async (request) => {
        const endpoint = await sipEndpoint.current();
        const change = changes.run(request, async (tx, org) => {
          const { orgId } = request.principal;
          const found = await org.inboundTrunks.find(orgId);
          if (found === null) throw notFound('inbound trunk');
          const row = await org.inboundTrunks.update(tx, orgId, settingsOf(request.body));
          assertKnowsCallers(row);
          return {
            body: inboundTrunkView(row, endpoint),
            audit: {
              action: 'update',
              resource: 'inbound_trunk',
              resourceId: row.id,
              before: inboundTrunkAuditView(found),
              after: inboundTrunkAuditView(row),
            },
          };
        });
        return propagation.awaited(change);
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: `${PATH}/rotate-credentials`,
      operationId: 'rotateInboundTrunkCredentials',
      summary: 'A new password for the inbound trunk; the old one lets calls in for a while longer',
      scope: 'sip:write',
      body: credentialsRotate,
      response: inboundTrunk,
      errors: { 404: ['inbound_trunk_not_found'] },
      requestExample: { grace_seconds: 3600 },
      responseExample: { ...inboundTrunkExample, previous_password_valid_until: '2026-11-24T10:30:00.000Z' },
      idempotency: 'plain',
      handle: async (request) => {
        const endpoint = await sipEndpoint.current();
        const change = changes.run(request, async (tx, org) => {
          const { orgId } = request.principal;
          const row = await org.inboundTrunks.rotatePassword(tx, orgId, request.body.grace_seconds);
          const after = inboundTrunkAuditView(row);
          return {
            body: inboundTrunkView(row, endpoint),
            audit: { action: 'rotate_credentials', resource: 'inbound_trunk', resourceId: row.id, after },
          };
        });
        return propagation.awaited(change);
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: PATH,
      operationId: 'deleteInboundTrunk',
      summary: 'Delete the inbound trunk; its credentials stop working, its numbers stay verified',
      scope: 'sip:write',
      query: forceQuery,
      response: inboundTrunkDeleted,
      errors: { 404: ['inbound_trunk_not_found'], 409: ['trunk_has_active_calls'] },
      responseExample: inboundTrunkDeletedExample,
      handle: async (request) => {
        const { orgId } = request.principal;
        const change = changes.run(request, async (tx, org) => {
          const found = await org.inboundTrunks.find(orgId);
          if (found === null) throw notFound('inbound trunk');
          if (request.query.force !== 'true') await assertIdle(org, orgId, found.id);
          const row = await org.inboundTrunks.delete(tx, orgId);
          if (row === null) throw notFound('inbound trunk');
          const before = inboundTrunkAuditView(row);
          return {
            body: { id: row.id, deleted: true, detached: { phone_numbers: row.phoneNumbers } },
            audit: { action: 'delete', resource: 'inbound_trunk', resourceId: row.id, before },
          };
        });
        return propagation.awaited(change);
      },
    }),
  ];
}

function settingsOf(body: z.output<typeof inboundTrunkPatch>): InboundTrunkPatch {
  return {
    krispEnabled: body.krisp_enabled,
    mediaTimeoutSeconds: body.media_timeout_seconds,
    auth: body.auth,
    ipAllowlist: body.ip_allowlist,
    mediaSource: body.media_source,
    codecs: body.codecs,
    dtmfMode: body.dtmf_mode,
    maxConcurrentCalls: body.max_concurrent_calls,
    maxCallsPerSecond: body.max_calls_per_second,
  };
}

/** What it is after the change, whichever part of it was changed. */
function assertKnowsCallers({ auth, ipAllowlist }: InboundTrunkRecord): void {
  if (auth !== 'ip' || ipAllowlist.length > 0) return;
  throw impossible('ip_allowlist_empty', 'With auth ip nobody could call: ip_allowlist is empty');
}

/** Said before anything is said of its numbers; a creation at the same moment is the store's to tell. */
function trunkExists(): StoreError {
  return new StoreError('inbound_trunk_exists', 'the organisation has an inbound trunk');
}
