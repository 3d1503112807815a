/** For the server's operator: the organisations of this server. Each act is noted in the operator's own audit log. */
import type { Organisation, OrganisationLimits } from '../../store/entities/organisation';
import { uuidV7 } from '../../store/ids';
import type { Changes } from '../changes';
import { conflict, notFound } from '../errors';
import type { ValidationIssue } from '../errors';
import { answer, route } from '../route';
import type { Principal, Route } from '../route';
import {
  organisation,
  organisationCreate,
  organisationCreated,
  organisationDeleted,
  organisationPage,
  organisationPatch,
} from '../schemas/organisation';
import type { OrganisationLimitsRequest, OrganisationResource } from '../schemas/organisation';
import { organisationCreatedExample, organisationExample } from '../schemas/organisation-examples';
import { forceQuery, idParams, pageQuery } from '../schemas/primitives';
import type { ApiStore } from '../store';

export interface OrganisationRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg' | 'organisations'>;
  readonly changes: Changes;
}

const TAG = { tag: 'Organisations', resource: 'organisation', operatorOnly: true } as const;
const FIRST_KEY = { name: 'first', scopes: ['full'] } as const;

export function organisationRoutes(deps: OrganisationRouteDeps): readonly Route[] {
  return [...readRoutes(deps), createRoute(deps), patchRoute(deps), deleteRoute(deps)];
}

function readRoutes({ store }: OrganisationRouteDeps): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'get',
      path: '/orgs',
      operationId: 'listOrganisations',
      summary: 'The organisations of this server, newest first',
      scope: 'org:read',
      query: pageQuery,
      response: organisationPage,
      responseExample: { items: [organisationExample], next: null },
      handle: async ({ query }) => {
        const page = await store.organisations.list(query);
        return answer({ items: page.items.map(organisationView), next: page.next });
      },
    }),
    route({
      ...TAG,
      method: 'get',
      path: '/orgs/{id}',
      operationId: 'getOrganisation',
      summary: 'One organisation',
      scope: 'org:read',
      params: idParams,
      response: organisation,
      responseExample: organisationExample,
      handle: async ({ params: { id } }) => {
        const row = await store.forOrg(id).read((org) => org.organisations.find(id));
        if (row === null) throw notFound('organisation');
        return answer(organisationView(row));
      },
    }),
  ];
}

function createRoute({ changes }: OrganisationRouteDeps): Route {
  return route({
    ...TAG,
    method: 'post',
    path: '/orgs',
    operationId: 'createOrganisation',
    summary: 'Make an organisation with a first key; the answer is the only one that shows it',
    scope: 'org:write',
    body: organisationCreate,
    response: organisationCreated,
    successStatus: 201,
    requestExample: { name: 'Example Ltd', limits: { allowed_countries: ['US', 'DE'] } },
    responseExample: organisationCreatedExample,
    idempotency: 'plain',
    handle: async (request) => {
      const { name, limits } = request.body;
      const id = uuidV7();
      return changes.run(
        request,
        async (_, org) => {
          const row = await org.organisations.create({ id, name, limits: limitFields(limits) });
          const { key } = await org.apiKeys.create({ orgId: id, ...FIRST_KEY });
          const body = { id, name, api_key: key, created_at: row.createdAt.toISOString() };
          return {
            body: withWarnings(body, row.limits),
            audit: { action: 'create', resource: 'organisation', resourceId: id, after: organisationView(row) },
          };
        },
        id,
      );
    },
  });
}

function patchRoute({ changes }: OrganisationRouteDeps): Route {
  return route({
    ...TAG,
    method: 'patch',
    path: '/orgs/{id}',
    operationId: 'updateOrganisation',
    summary: 'Rename, limit, suspend or resume an organisation',
    scope: 'org:write',
    params: idParams,
    body: organisationPatch,
    response: organisation,
    errors: { 409: ['own_organisation'] },
    requestExample: { suspended: true },
    responseExample: { ...organisationExample, suspended: true },
    handle: async (request) => {
      const { id } = request.params;
      const { name, suspended, limits } = request.body;
      if (suspended === true) assertOther(request.principal, id);
      return changes.run(
        request,
        async (tx, org) => {
          const before = await org.organisations.find(id);
          const row = await org.organisations.update(tx, id, {
            ...(name === undefined ? {} : { name }),
            ...(suspended === undefined ? {} : { suspended }),
            limits: limitFields(limits),
          });
          if (before === null || row === null) throw notFound('organisation');
          const after = organisationView(row);
          const note = { action: 'update', resource: 'organisation', resourceId: id };
          return {
            body: withWarnings(after, row.limits),
            audit: { ...note, before: organisationView(before), after },
          };
        },
        id,
      );
    },
  });
}

function deleteRoute({ changes }: OrganisationRouteDeps): Route {
  return route({
    ...TAG,
    method: 'delete',
    path: '/orgs/{id}',
    operationId: 'deleteOrganisation',
    summary: 'Delete an organisation with its keys, agents, trunks and numbers',
    description: 'The records of its calls and its audit log stay in the database, where no key reads them any more.',
    scope: 'org:write',
    params: idParams,
    query: forceQuery,
    response: organisationDeleted,
    errors: { 409: ['own_organisation', 'organisation_has_active_calls'] },
    responseExample: { id: organisationExample.id, deleted: true },
    handle: async (request) => {
      const { id } = request.params;
      assertOther(request.principal, id);
      return changes.run(
        request,
        async (tx, org) => {
          if ((await org.organisations.find(id)) === null) throw notFound('organisation');
          const active = await org.calls.countOpen(id);
          if (active > 0 && request.query.force !== 'true') {
            const message = 'The organisation has active calls; ?force=true deletes it nevertheless';
            throw conflict('organisation_has_active_calls', message, { active_calls: active });
          }
          const gone = await org.organisations.delete(tx, id);
          if (gone === null) throw notFound('organisation');
          const note = { action: 'delete', resource: 'organisation', resourceId: id };
          return { body: { id, deleted: true }, audit: { ...note, before: organisationView(gone) } };
        },
        id,
      );
    },
  });
}

/** Nobody locks himself out. */
function assertOther(principal: Principal, id: string): void {
  if (principal.orgId === id) throw conflict('own_organisation', 'The organisation of the key itself stays as it is');
}

function limitFields(limits: OrganisationLimitsRequest): OrganisationLimits {
  const fields = {
    concurrentCalls: limits?.concurrent_calls,
    callsPerSecond: limits?.calls_per_second,
    dailyMinutes: limits?.daily_minutes,
    allowedCountries: limits?.allowed_countries,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What is stored and not acted on yet is said with every answer that stores it. */
function withWarnings<Body extends object>(
  body: Body,
  limits: OrganisationLimits,
): Body & { readonly warnings?: readonly ValidationIssue[] } {
  if (limits.dailyMinutes == null) return body;
  const message = 'Stored; this server does not act on it yet';
  return { ...body, warnings: [{ path: 'limits.daily_minutes', message }] };
}

function organisationView({ id, name, limits, suspendedAt, createdAt, updatedAt }: Organisation): OrganisationResource {
  return {
    id,
    name,
    limits: {
      concurrent_calls: limits.concurrentCalls ?? null,
      calls_per_second: limits.callsPerSecond ?? null,
      daily_minutes: limits.dailyMinutes ?? null,
      allowed_countries: limits.allowedCountries == null ? null : [...limits.allowedCountries],
    },
    suspended: suspendedAt !== null,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}
