/** Numbers that no campaign calls: of one organisation, and, by operators' keys alone, of the whole server. */
import { parsePhoneNumber } from '../../store/dialling/phone-number';
import { importCsvNumbers, importNumbers } from '../campaigns/dnc-import';
import type { DncImportDeps, DncImportResult } from '../campaigns/dnc-import';
import type { Changes } from '../changes';
import { ApiError, notFound } from '../errors';
import { answer, route } from '../route';
import type { Actor, Principal, Route, RouteAnswer } from '../route';
import { dncCsvExample, dncExample, dncImportedExample } from '../schemas/campaign-examples';
import {
  dncCreate,
  dncDeleted,
  dncEntry,
  dncImport,
  dncImported,
  dncListQuery,
  dncPage,
  dncQuery,
} from '../schemas/dnc';
import type { DncResource } from '../schemas/dnc';
import { idParams } from '../schemas/primitives';
import type { ApiStore } from '../store';
import type { DncRecord } from '../../store/repositories/dnc-repository';

export interface DncRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
}

const TAG = { tag: 'Do not call', resource: 'dnc entry' } as const;
const PATH = '/phone/dnc';
const OPERATOR = ['operator_only'] as const;

export function dncRoutes(deps: DncRouteDeps): readonly Route[] {
  return [importRoute(deps), ...entryRoutes(deps)];
}

function entryRoutes({ store, changes }: DncRouteDeps): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'get',
      path: PATH,
      operationId: 'listDncEntries',
      summary: 'Numbers that are not called, newest first',
      scope: 'phone:read',
      query: dncQuery,
      response: dncPage,
      errors: { 403: OPERATOR },
      responseExample: { items: [dncExample], next: null },
      handle: async ({ principal, query }) => {
        const owner = ownerOf(principal, query.list);
        const filter = { cursor: query.cursor, limit: query.limit, phoneNumber: numberIn(query.phone_number) };
        const page = await store.forOrg(principal.orgId).read((org) => org.dnc.list(owner, filter));
        return answer({ items: page.items.map(dncView), next: page.next });
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: PATH,
      operationId: 'createDncEntry',
      summary: 'Put a number on the list of those that are not called',
      description: 'One that is there already is answered as it is.',
      scope: 'phone:write',
      query: dncListQuery,
      body: dncCreate,
      response: dncEntry,
      successStatus: 201,
      errors: { 403: OPERATOR, 422: ['emergency_number'] },
      requestExample: { phone_number: '+15559876543', reason: 'Asked by letter' },
      responseExample: dncExample,
      idempotency: 'plain',
      handle: async (request) => {
        const { body, principal, query } = request;
        const owner = ownerOf(principal, query.list);
        const entry = { phoneNumber: body.phone_number, reason: body.reason ?? null };
        return changes.run(request, async (_, org) => {
          const [added] = await org.dnc.add(owner, 'api', [entry]);
          const row = added ?? (await org.dnc.find(owner, entry.phoneNumber));
          // Taken away between the two: as good as it is now.
          if (row === null) throw notFound('dnc entry');
          const note = { action: 'create', resource: resourceOf(query.list), resourceId: row.id, after: dncView(row) };
          return { body: dncView(row), audit: added === undefined ? [] : note };
        });
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: `${PATH}/{id}`,
      operationId: 'deleteDncEntry',
      summary: 'Take a number from the list: campaigns may call it again',
      scope: 'phone:write',
      params: idParams,
      query: dncListQuery,
      response: dncDeleted,
      errors: { 403: OPERATOR },
      responseExample: { id: dncExample.id, deleted: true },
      handle: async (request) => {
        const { params, principal, query } = request;
        const owner = ownerOf(principal, query.list);
        return changes.run(request, async (_, org) => {
          const gone = await org.dnc.remove(owner, params.id);
          if (gone === null) throw notFound('dnc entry');
          const note = {
            action: 'delete',
            resource: resourceOf(query.list),
            resourceId: gone.id,
            before: dncView(gone),
          };
          return { body: { id: gone.id, deleted: true }, audit: note };
        });
      },
    }),
  ];
}

function importRoute({ store }: DncRouteDeps): Route {
  const run = async (
    { actor, principal, query }: { actor: Actor; principal: Principal; query: { list: ListName } },
    work: (deps: DncImportDeps) => Promise<DncImportResult>,
  ): Promise<RouteAnswer> => {
    const { orgId } = principal;
    const entry = { ...actor, action: 'import', resource: resourceOf(query.list), resourceId: null };
    const { rows, ...counts } = await work({
      store,
      orgId,
      owner: ownerOf(principal, query.list),
      note: (after) => store.forOrg(orgId).write((org) => org.audit.add({ ...entry, after })),
    });
    return answer({ ...counts, rows: rows.map(({ phoneNumber, ...row }) => ({ ...row, phone_number: phoneNumber })) });
  };
  return route({
    ...TAG,
    method: 'post',
    path: `${PATH}/import`,
    operationId: 'importDncEntries',
    summary: 'Put many numbers on the list, as JSON or as CSV',
    description:
      'CSV (`text/csv`) as for contacts, with the columns `phone_number`* and `reason`. Each row is stored or refused by itself.',
    scope: 'phone:write',
    query: dncListQuery,
    body: dncImport,
    response: dncImported,
    errors: { 403: OPERATOR, 413: ['too_many_rows'], 422: ['missing_column', 'invalid_header'] },
    requestExample: { entries: [{ phone_number: '+15559876543', reason: 'Asked by letter' }] },
    uploadExample: dncCsvExample,
    responseExample: dncImportedExample,
    handle: (request) => run(request, (deps) => importNumbers(deps, request.body.entries)),
    upload: (request) => run(request, (deps) => importCsvNumbers(deps, request.source)),
  });
}

type ListName = 'organisation' | 'global';

/** @throws ApiError 403 `operator_only` */
function ownerOf({ orgId, operator }: Principal, list: ListName): string | null {
  if (list === 'organisation') return orgId;
  if (!operator) throw new ApiError(403, 'operator_only', "Only a key of the server's operator sees the server's list");
  return null;
}

const resourceOf = (list: ListName): string => (list === 'global' ? 'global_dnc_entry' : 'dnc_entry');

const dncView = ({ id, phoneNumber, reason, source, createdAt }: DncRecord): DncResource => ({
  id,
  phone_number: phoneNumber,
  reason,
  source,
  created_at: createdAt.toISOString(),
});

/** A `+` that was not encoded arrives as a space; what is no number is on no list. */
export function numberIn(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const text = given.replace(/^ /, '+');
  const parsed = parsePhoneNumber(text);
  return parsed.ok ? parsed.e164 : text;
}
