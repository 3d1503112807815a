/** One of each kind of thing that requests name by its id, and the document's examples as requests about them. */
import { uuidV7 } from '../../../../store/ids';
import type { ApiServer, Tenant } from './api-server';
import type { IdField, KeyedOperation } from './document-operations';

/** By kind. */
export type Ids = Readonly<Record<string, string>>;

/** Makes one of each kind that a path names; answers its id. */
export const MAKERS: Readonly<Record<string, (api: ApiServer, owner: Tenant) => Promise<string>>> = {
  agent: async (api, { key }) => (await api.post('/phone', { name: 'A' }, { key })).body.id,
  api_key: async (api, { key }) => (await api.post('/api-keys', { name: 'K', scopes: 'full' }, { key })).body.id,
  campaign: async (api, { key }) => {
    const { body: agent } = await api.post('/phone', { name: 'Caller' }, { key });
    const { body } = await api.post('/phone/campaigns', { name: 'C', phone_agent_id: agent.id }, { key });
    await api.post(`/phone/campaigns/${body.id}/contacts`, { contacts: [{ phone_number: '+15550000001' }] }, { key });
    return body.id;
  },
  dnc_entry: async (api, { key }) => {
    const phone_number = `+1555${String(1_000_000 + Math.floor(Math.random() * 9_000_000))}`;
    return (await api.post('/phone/dnc', { phone_number }, { key })).body.id;
  },
  contact: async (api, { key }) => (await api.post('/contacts', { contact: { name: 'C' } }, { key })).body.id,
  call: async (api, { orgId }) => {
    const id = uuidV7();
    await api.dataSource.query(
      `INSERT INTO calls (id, org_id, session_id, direction, from_number, to_number, status, created_at)
       VALUES ($1, $2, $1, 'inbound', '+15550000001', '+15550000002', 'in_progress', now())`,
      [id, orgId],
    );
    return id;
  },
  organisation: async (api, { key }) => (await api.post('/orgs', { name: 'O' }, { key })).body.id,
  outbound_trunk: async (api, { key }) => {
    const carrier = {
      name: 'T',
      host: 'sip.provider.com',
      username: 'u',
      password: 'p',
      caller_number: '+15551234567',
    };
    return (await api.post('/phone/sip/outbound-trunks', carrier, { key })).body.id;
  },
  transfer_destination: async (api, { key }) => {
    const support = { name: 'D', type: 'phone', value: '+15559999999' };
    return (await api.post('/phone/sip/transfer-destinations', support, { key })).body.id;
  },
  phone_number: async (api, { key }) => {
    const phone_number = `+1555${String(1_000_000 + Math.floor(Math.random() * 9_000_000))}`;
    return (await api.post('/phone/numbers', { phone_number, method: 'attest' }, { key })).body.id;
  },
};

/** What the ids name that are not their path's `id`; null: nothing that exists yet. */
export const FIELDS: Readonly<Record<string, string | null>> = {
  phone_agent_id: 'agent',
  phone_number_ids: 'phone_number',
  trunk_id: 'outbound_trunk',
  trunk_ids: 'outbound_trunk',
  import_id: null,
  campaign_id: null,
  contact_id: 'contact',
  destination_id: 'transfer_destination',
  failover_transfer_destination_id: 'transfer_destination',
};

export function kindOf({ resource, path }: KeyedOperation, name: string): string {
  if (name === 'contact_id' && path.includes('{contact_id}')) return CONTACT_OF_CAMPAIGN;
  return (name === 'id' ? resource : FIELDS[name]) ?? 'agent';
}

/** Made with its campaign. */
const CONTACT_OF_CAMPAIGN = 'campaign_contact';

/** What a path names that has no id of its own. */
const PATH_TEXTS: Readonly<Record<string, string>> = { phone_number: '+15551234567' };

export async function makeAll(api: ApiServer, owner: Tenant, kinds: readonly string[]): Promise<Ids> {
  const made: [string, string][] = [];
  for (const kind of kinds) made.push([kind, await MAKERS[kind]!(api, owner)]);
  const ids = Object.fromEntries(made);
  if (ids['campaign'] === undefined) return ids;
  const { body } = await api.get(`/phone/campaigns/${ids['campaign']}/contacts`, { key: owner.key });
  return { ...ids, [CONTACT_OF_CAMPAIGN]: body.items[0].id };
}

/** An operation's example, with own ids wherever it carries some, and another one in the given place. */
export function exampleRequest(
  operation: KeyedOperation,
  own: Ids,
  other?: IdField & { readonly id: string },
): { readonly path: string; readonly body: Readonly<Record<string, unknown>> | null } {
  const body: Record<string, unknown> = { ...operation.body };
  for (const { place, name, many } of operation.ids) {
    const kind = FIELDS[name];
    if (place === 'body' && name in body && kind != null) body[name] = many ? [own[kind]] : own[kind];
  }
  if (other?.place === 'body') body[other.name] = other.many ? [other.id] : other.id;
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    other?.place === 'path' && other.name === name ? other.id : (PATH_TEXTS[name] ?? own[kindOf(operation, name)]!),
  );
  const query = other?.place === 'query' ? `?${new URLSearchParams({ [other.name]: other.id }).toString()}` : '';
  return { path: path + query, body: operation.body === null ? null : body };
}
