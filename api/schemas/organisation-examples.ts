/** Examples of the OpenAPI document, as in `examples.ts`: keys, organisations and the audit log. */
import type { z } from 'zod';
import type { apiKeyCreated, ApiKeyResource } from './api-key';
import type { auditEntry } from './audit';
import { agentExample } from './examples';
import type { organisationCreated, OrganisationResource } from './organisation';

const KEY_ID = '01937f3e-9234-7e5f-b607-18293a4b5c05';
const CREATED = '2026-11-24T09:30:00.000Z';
const EXPIRES = '2027-11-24T09:30:00.000Z';

export const apiKeyCreatedExample: z.output<typeof apiKeyCreated> = {
  id: KEY_ID,
  name: 'CRM',
  key: 'tl_live_shown-only-once',
  scopes: ['phone:write', 'sip:read'],
  expires_at: EXPIRES,
  created_at: CREATED,
};

export const apiKeyExample: ApiKeyResource = {
  id: KEY_ID,
  name: 'CRM',
  prefix: 'tl_live_',
  last4: 'once',
  scopes: ['phone:write', 'sip:read'],
  expires_at: EXPIRES,
  last_used_at: null,
  created_at: CREATED,
  revoked_at: null,
};

export const organisationExample: OrganisationResource = {
  id: agentExample.org_id,
  name: 'Example Ltd',
  limits: { concurrent_calls: null, calls_per_second: null, daily_minutes: null, allowed_countries: ['US', 'DE'] },
  suspended: false,
  created_at: CREATED,
  updated_at: CREATED,
};

export const organisationCreatedExample: z.output<typeof organisationCreated> = {
  id: agentExample.org_id,
  name: 'Example Ltd',
  api_key: 'tl_live_shown-only-once',
  created_at: CREATED,
};

export const auditEntryExample: z.output<typeof auditEntry> = {
  id: '01937f3e-a345-7f60-8718-293a4b5c6d06',
  at: CREATED,
  key_id: KEY_ID,
  request_id: '0f1e7c9a-6a1c-4c0e-8f5e-5b1f3a0f6a1b',
  action: 'update',
  resource: 'agent',
  resource_id: agentExample.id,
  before: { name: 'Support' },
  after: { name: 'Support Agent' },
};
