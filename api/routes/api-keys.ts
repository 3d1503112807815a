import type { ApiKeyRecord } from '../../store/repositories/api-key-repository';
import type { Changes } from '../changes';
import { ApiError, invalid, notFound } from '../errors';
import { requireScope } from '../middleware/auth';
import { answer, route } from '../route';
import type { Principal, Route } from '../route';
import { apiKey, apiKeyCreate, apiKeyCreated, apiKeyDeleted, apiKeyPage } from '../schemas/api-key';
import type { ApiKeyResource } from '../schemas/api-key';
import { apiKeyCreatedExample, apiKeyExample } from '../schemas/organisation-examples';
import { idParams, pageQuery } from '../schemas/primitives';
import type { ApiStore } from '../store';

export interface ApiKeyRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
}

const TAG = { tag: 'API keys', resource: 'api key' } as const;

export function apiKeyRoutes({ store, changes }: ApiKeyRouteDeps): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'get',
      path: '/api-keys',
      operationId: 'listApiKeys',
      summary: "The organisation's keys, newest first, with those that were revoked",
      scope: 'org:read',
      query: pageQuery,
      response: apiKeyPage,
      responseExample: { items: [apiKeyExample], next: null },
      handle: async ({ principal: { orgId }, query }) => {
        const page = await store.forOrg(orgId).read((org) => org.apiKeys.list(orgId, query));
        return answer({ items: page.items.map(apiKeyView), next: page.next });
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: '/api-keys',
      operationId: 'createApiKey',
      summary: 'Make a key; the answer is the only one that shows it',
      description:
        'A key cannot give more than it has. Scopes that it lacks: 403 `missing_scope` names the first of them. A longer ' +
        'life: without `expires_at` the new key ends with the one that makes it, and a later time is 403 `outlives_key`.',
      scope: 'org:write',
      body: apiKeyCreate,
      response: apiKeyCreated,
      successStatus: 201,
      errors: { 403: ['outlives_key'] },
      requestExample: { name: 'CRM', scopes: ['phone:write', 'sip:read'], expires_at: '2027-11-24T09:30:00.000Z' },
      responseExample: apiKeyCreatedExample,
      idempotency: 'plain',
      handle: async (request) => {
        const { principal, body } = request;
        const scopes = body.scopes === 'full' ? (['full'] as const) : [...new Set(body.scopes)];
        for (const scope of scopes) requireScope(principal, scope);
        const expiresAt = expiryWithin(principal, body.expires_at);
        return changes.run(request, async (_, org) => {
          // Not before: a repeat gets the saved answer also when the time has passed since.
          if (expiresAt !== null && expiresAt.getTime() <= Date.now()) {
            throw invalid([{ path: 'expires_at', message: 'must be in the future' }]);
          }
          const { orgId } = principal;
          const { record, key } = await org.apiKeys.create({ orgId, name: body.name, scopes, expiresAt });
          const after = apiKeyView(record);
          const { id, name, expires_at, created_at } = after;
          return {
            body: { id, name, key, scopes: after.scopes, expires_at, created_at },
            audit: { action: 'create', resource: 'api_key', resourceId: id, after },
          };
        });
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: '/api-keys/{id}',
      operationId: 'revokeApiKey',
      summary: 'Revoke a key: it is refused from now on, where it is busy within 250 ms',
      scope: 'org:write',
      params: idParams,
      response: apiKeyDeleted,
      errors: { 409: ['last_operator_key'] },
      responseExample: { id: apiKeyExample.id, deleted: true },
      handle: async (request) =>
        changes.run(request, async (_, org) => {
          const gone = await org.apiKeys.revoke(request.principal.orgId, request.params.id);
          if (gone === null) throw notFound('api key');
          const before = { ...apiKeyView(gone), revoked_at: null };
          return {
            body: { id: gone.id, deleted: true },
            audit: { action: 'revoke', resource: 'api_key', resourceId: gone.id, before, after: apiKeyView(gone) },
          };
        }),
    }),
  ];
}

/** Otherwise whoever has a key for a day makes one for ever. */
function expiryWithin({ keyExpiresAt }: Principal, wanted: string | null | undefined): Date | null {
  if (wanted === undefined) return keyExpiresAt;
  const expiresAt = wanted === null ? null : new Date(wanted);
  if (keyExpiresAt !== null && (expiresAt === null || expiresAt > keyExpiresAt)) {
    throw new ApiError(
      403,
      'outlives_key',
      `This key ends at ${keyExpiresAt.toISOString()}; it cannot make a longer one`,
    );
  }
  return expiresAt;
}

function apiKeyView(row: ApiKeyRecord): ApiKeyResource {
  return apiKey.parse({
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    last4: row.last4,
    scopes: row.scopes.includes('full') ? 'full' : row.scopes,
    expires_at: row.expiresAt?.toISOString() ?? null,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
    revoked_at: row.revokedAt?.toISOString() ?? null,
  });
}
