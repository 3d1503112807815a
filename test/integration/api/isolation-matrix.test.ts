/** Generated from the OpenAPI document: an operation that is added is in it, or the test says what it needs to know of it. */
import { SCOPES } from '../../../api/route';
import { uuidV7 } from '../../../store/ids';
import { ApiServer } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';
import { keyedOperations } from './support/document-operations';
import type { IdField, KeyedOperation } from './support/document-operations';
import { exampleRequest, FIELDS, kindOf, makeAll, MAKERS } from './support/things';
import type { Ids } from './support/things';

describe('the isolation of organisations', () => {
  let api: ApiServer;
  let operations: readonly KeyedOperation[];
  let kinds: readonly string[];
  /** An operator's key each, to prepare, and what belongs to the organisation. */
  let theirs: Tenant;
  let mine: Tenant;
  /** Full access to the asking organisation, not an operator's. */
  let asking: Tenant;
  let own: Ids;
  let foreign: Ids;
  let deleted: Ids;
  let tried = 0;

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.seeNode();
    operations = keyedOperations(api.openapi);
    kinds = [...new Set(operations.flatMap(({ resource }) => resource ?? []))];
    theirs = api.tenant;
    mine = await api.createTenant({ operator: true });
    asking = await api.createKey(mine.orgId);
    own = await makeAll(api, mine, kinds);
    foreign = await makeAll(api, theirs, kinds);
    deleted = await makeAll(api, mine, kinds);
    for (const kind of kinds) await remove(kind, deleted[kind]!);
  });
  afterAll(async () => {
    process.stdout.write(`isolation matrix: ${operations.length} operations, ${tried} combinations tried\n`);
    await api.stop();
  });

  async function remove(kind: string, id: string): Promise<void> {
    const route = operations.find(
      ({ method, resource, path }) => method === 'DELETE' && resource === kind && path.endsWith('{id}'),
    );
    if (route === undefined) await api.dataSource.query('DELETE FROM calls WHERE id = $1', [id]);
    else expect((await api.delete(route.path.replace('{id}', id), { key: mine.key })).status).toBe(200);
  }

  /** Its example, with own ids wherever it carries some, and another one in the given place. */
  async function send(operation: KeyedOperation, key: string | null, at?: IdField, id?: string): Promise<Answer> {
    tried += 1;
    const { path, body } = exampleRequest(operation, own, at === undefined ? undefined : { ...at, id: id! });
    return api.request(operation.method, path, { key, ...(body === null ? {} : { body }) });
  }

  /** What an answer tells apart from ids, times and secrets that are new each time. */
  function told({ status, body }: Answer): string {
    const { requestId: _, ...rest } = body as { requestId?: string };
    return `${status} ${JSON.stringify(rest)}`
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/tl_live_[\w-]+/g, 'KEY');
  }

  it('knows how to make each thing that a path names, and what each id of a request is', () => {
    expect(kinds.filter((kind) => MAKERS[kind] === undefined)).toEqual([]);
    expect(operations.filter(({ path, resource }) => path.includes('{id}') && resource === null)).toEqual([]);
    const names = operations.flatMap(({ ids }) => ids.flatMap(({ name }) => (name === 'id' ? [] : name)));
    expect(names.filter((name) => FIELDS[name] === undefined)).toEqual([]);
    expect(operations.filter(({ scope }) => !(SCOPES as readonly string[]).includes(scope))).toEqual([]);
  });

  it("answers another organisation's id, an unknown and a deleted one alike, wherever a request carries an id", async () => {
    const differing: unknown[] = [];
    const before = await api.dataSource.query(STATE, [theirs.orgId]);
    for (const operation of operations) {
      for (const field of operation.ids) {
        const kind = kindOf(operation, field.name);
        const answers: string[] = [];
        for (const id of [foreign[kind]!, uuidV7(), deleted[kind]!]) {
          answers.push(told(await send(operation, asking.key, field, id)));
        }
        if (new Set(answers).size > 1) differing.push([operation.operationId, field.name, answers]);
        const refused = operation.operatorOnly ? /^403 / : /^404 /;
        if (field.place === 'path' && !refused.test(answers[0]!)) differing.push([operation.operationId, answers[0]]);
      }
    }
    expect(differing).toEqual([]);
    expect(await api.dataSource.query(STATE, [theirs.orgId])).toEqual(before);
  });

  it('answers operators alike for an organisation that is unknown and one that was deleted', async () => {
    for (const operation of operations.filter(({ operatorOnly, resource }) => operatorOnly && resource !== null)) {
      const field = operation.ids.find(({ place }) => place === 'path');
      const unknown = told(await send(operation, mine.key, field, uuidV7()));
      expect([operation.operationId, unknown]).toEqual([
        operation.operationId,
        expect.stringMatching(/^404 .*"organisation_not_found"/),
      ]);
      expect(told(await send(operation, mine.key, field, deleted['organisation']))).toBe(unknown);
    }
  });

  it('refuses no key, an unknown, a revoked and an expired one, in the same words', async () => {
    const revoked = await api.createKey(mine.orgId);
    const expired = await api.createKey(mine.orgId);
    await api.dataSource.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.keyId]);
    await api.dataSource.query('UPDATE api_keys SET expires_at = now() WHERE id = $1', [expired.keyId]);
    for (const operation of operations) {
      const answers: string[] = [];
      for (const key of [null, `tl_live_${'x'.repeat(32)}`, revoked.key, expired.key]) {
        answers.push(told(await send(operation, key)));
      }
      expect([operation.operationId, ...new Set(answers)]).toEqual([
        operation.operationId,
        expect.stringMatching(/^401 .*"unauthorized"/),
      ]);
    }
  });

  it('refuses a key that has every scope but the one, and a key of a suspended organisation', async () => {
    const suspended = await api.createTenant();
    await api.dataSource.query('UPDATE organisations SET suspended_at = now() WHERE id = $1', [suspended.orgId]);
    for (const operation of operations) {
      // Writing includes reading.
      const opening = [operation.scope, operation.scope.replace(':read', ':write')];
      const scopes = SCOPES.filter((scope) => !opening.includes(scope));
      const { key } = await api.createKey(mine.orgId, { scopes, operator: true });
      const refused = await send(operation, key);
      const closed = await send(operation, suspended.key);
      expect([operation.operationId, refused.status, refused.body.code, refused.body.required_scope]).toEqual([
        operation.operationId,
        403,
        'missing_scope',
        operation.scope,
      ]);
      expect([operation.operationId, closed.status, closed.body.code]).toEqual([
        operation.operationId,
        403,
        'organisation_suspended',
      ]);
    }
  });

  it("refuses operators' operations to everybody else", async () => {
    for (const operation of operations.filter(({ operatorOnly }) => operatorOnly)) {
      const { status, body } = await send(operation, asking.key);
      expect([operation.operationId, status, body.code]).toEqual([operation.operationId, 403, 'operator_only']);
    }
  });
});

/** All that an organisation has set up, in one value. */
const STATE = `
  SELECT (SELECT json_agg(t ORDER BY id) FROM agents t WHERE org_id = $1) AS agents,
    (SELECT json_agg(t ORDER BY id) FROM phone_numbers t WHERE org_id = $1) AS numbers,
    (SELECT json_agg(t ORDER BY id) FROM outbound_trunks t WHERE org_id = $1) AS trunks,
    (SELECT json_agg(t ORDER BY id) FROM contacts t WHERE org_id = $1) AS contacts,
    (SELECT json_agg(t ORDER BY id) FROM campaigns t WHERE org_id = $1) AS campaigns,
    (SELECT json_agg(t ORDER BY id) FROM campaign_contacts t WHERE org_id = $1) AS called,
    (SELECT json_agg(t ORDER BY id) FROM dnc_entries t WHERE org_id = $1) AS not_called,
    (SELECT json_agg(t ORDER BY id) FROM transfer_destinations t WHERE org_id = $1) AS destinations,
    (SELECT json_agg(t) FROM agent_transfer_destinations t WHERE org_id = $1) AS assigned,
    (SELECT json_agg(t ORDER BY id) FROM calls t WHERE org_id = $1) AS calls,
    (SELECT json_agg(k.revoked_at ORDER BY id) FROM api_keys k WHERE org_id = $1) AS keys,
    (SELECT json_agg(o) FROM organisations o WHERE id = $1) AS organisation`;
