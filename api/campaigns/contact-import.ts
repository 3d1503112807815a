/**
 * Contacts on their way into a campaign. Each batch is a transaction of its own, together with the import's numbers: an upload
 * that stops leaves every row before it stored once and told as such, and the same upload again finds them as duplicates.
 */
import type { ImportStatus } from '../../contract/campaigns';
import { variableNameOf } from '../../contract/placeholders';
import { readContact } from '../../store/campaigns/contact-row';
import type { GivenContact } from '../../store/campaigns/contact-row';
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignImport } from '../../store/entities/campaign-import';
import type { RefusedRow } from '../../store/entities/campaign-import-part';
import { StoreError } from '../../store/errors';
import type { ImportRow } from '../../store/repositories/campaign-import-repository';
import { ApiError, impossible } from '../errors';
import type { CampaignContactsRequest, CampaignImportResource } from '../schemas/campaign';
import type { ApiStore } from '../store';
import { fromStoreError } from '../store-errors';
import { BatchedRows } from './batched-rows';
import { isColumnName, readCsvRows } from './csv-rows';
import type { CsvLimits, CsvRow } from './csv-rows';

/** Columns that mean something; any other one is a variable. */
const COLUMNS = ['phone_number', 'name', 'time_zone', 'consent_id', 'priority'] as const;
const COLUMN_NAMES: ReadonlySet<string> = new Set(COLUMNS);

type ContactBatches = BatchedRows<ImportRow, RefusedRow>;

interface ImportDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly campaign: Campaign;
  /** See `neededVariables`. */
  readonly needed: readonly string[];
  /** Told once it has come to its end, or stopped: with what was stored by then. */
  readonly ended: (ended: CampaignImport) => Promise<void>;
}

/** @throws ApiError 422 `missing_column`, `invalid_header`; 413 where a limit is exceeded */
export async function importCsvContacts(
  deps: ImportDeps,
  source: AsyncIterable<Buffer>,
  limits?: CsvLimits,
): Promise<CampaignImportResource> {
  const { store, campaign, needed } = deps;
  const pieces = readCsvRows(source, COLUMNS, limits);
  const header = (await pieces.next()).value as { readonly names: readonly string[] } | undefined;
  const names = header?.names ?? [];
  assertColumns(names, needed);
  const variables = names.filter((name) => name === 'name' || !COLUMN_NAMES.has(name));
  const begun = await store
    .forOrg(campaign.orgId)
    .write((org) => org.campaignImports.begin(campaign.orgId, campaign.id, variables));
  return run(deps, begun, async (batches) => {
    for await (const piece of pieces) {
      for (const row of piece as readonly CsvRow[]) take(batches, row, needed);
      await batches.pace();
    }
  });
}

export async function importContacts(
  deps: ImportDeps,
  contacts: CampaignContactsRequest['contacts'],
): Promise<CampaignImportResource> {
  const { store, campaign, needed } = deps;
  const given = contacts.map(givenOf);
  const variables = variableNamesOf(given.filter((one) => 'variables' in one));
  const begun = await store
    .forOrg(campaign.orgId)
    .write((org) => org.campaignImports.begin(campaign.orgId, campaign.id, variables));
  return run(deps, begun, (batches) => {
    for (const [n, contact] of given.entries()) readInto(batches, n + 1, contact, needed);
    return Promise.resolve();
  });
}

/** That contacts in JSON come with, their names among them. */
export function variableNamesOf(
  contacts: readonly { readonly name: string | null; readonly variables: Readonly<Record<string, string>> }[],
): string[] {
  const named = contacts.some(({ name }) => name !== null && name !== '') ? ['name'] : [];
  const names = new Set([...named, ...contacts.flatMap((contact) => Object.keys(contact.variables))]);
  return [...names].slice(0, MOST_NAMES);
}

const MANY_ROWS = 10_000;
/** Columns of a campaign's report. */
const MOST_NAMES = 100;

/** Only what is known to be gone for good says so: without a database the import is told apart by its silence. */
async function run(
  { store, campaign: { orgId, id: campaignId }, ended }: ImportDeps,
  { id: importId }: CampaignImport,
  fill: (batches: ContactBatches) => Promise<void>,
): Promise<CampaignImportResource> {
  const batches: ContactBatches = new BatchedRows({
    store: ({ rows, refused: invalid }, part) =>
      store.forOrg(orgId).write((org) => org.campaignImports.add(orgId, { importId, campaignId, part, rows, invalid })),
  });
  const finish = (status: ImportStatus, problem: string | null): Promise<CampaignImport> =>
    store.forOrg(orgId).write((org) => org.campaignImports.finish(orgId, importId, status, problem));
  try {
    await fill(batches);
    await batches.end();
  } catch (error) {
    await batches.settled();
    const known = error instanceof StoreError ? fromStoreError(error) : error;
    const refused = known instanceof ApiError && known.status < 500;
    const problem = refused ? known.message : 'The upload did not come to its end; send it again';
    await finish(refused ? 'refused' : 'aborted', problem)
      .then(ended)
      .catch(() => undefined);
    throw error;
  }
  const completed = await finish('completed', null);
  const { accepted, duplicates, invalid, suppressed } = completed;
  if (accepted >= MANY_ROWS) {
    // Not in time: it is learnt a little later, as PostgreSQL does by itself.
    await store
      .forOrg(orgId)
      .write((org) => org.campaignImports.learn())
      .catch(() => undefined);
  }
  await ended(completed);
  const rows = batches.told.map(({ phoneNumber, ...row }) => ({ ...row, phone_number: phoneNumber }));
  return { import_id: importId, accepted, duplicates, invalid, suppressed, rows };
}

function assertColumns(names: readonly string[], needed: readonly string[]): void {
  const [missing, ...others] = ['phone_number', ...needed].filter((name) => !names.includes(name));
  if (missing === undefined) return;
  const all = [missing, ...others];
  const used = others.length > 0 || missing !== 'phone_number' ? ' that the texts of the campaign use' : '';
  throw impossible(
    'missing_column',
    `The CSV lacks the column${others.length > 0 ? 's' : ''} ${all.join(', ')}${used}`,
    {
      columns: all,
    },
  );
}

function take(batches: ContactBatches, row: CsvRow, needed: readonly string[]): void {
  if ('broken' in row) {
    batches.refuse({ row: row.row, phoneNumber: null, result: 'invalid', reason: row.broken });
    return;
  }
  const { phone_number: phoneNumber = '', name = '', time_zone: timeZone = '', ...others } = row.values;
  const { consent_id: consentId = '', priority = '', ...variables } = others;
  readInto(batches, row.row, { phoneNumber, name, timeZone, consentId, priority, variables }, needed);
}

/** What cannot be read as it is, and why. */
interface Unreadable {
  readonly phoneNumber: string;
  readonly reason: string;
}

function givenOf(contact: CampaignContactsRequest['contacts'][number]): GivenContact | Unreadable {
  const phoneNumber = contact.phone_number.trim();
  const named = namedAsColumns(contact.variables ?? {});
  if ('reason' in named) return { phoneNumber, reason: named.reason };
  const variables = Object.entries(named.values).filter(([, value]) => value !== '');
  return {
    phoneNumber,
    name: contact.name?.trim() ?? '',
    timeZone: contact.time_zone?.trim() ?? '',
    consentId: contact.consent_id?.trim() ?? '',
    priority: String(contact.priority ?? ''),
    variables: Object.fromEntries(variables),
  };
}

/** Variables in JSON by the names that columns would have; or why one cannot be named so. */
export function namedAsColumns<Value>(
  given: Readonly<Record<string, Value>>,
): { readonly values: Readonly<Record<string, Value>> } | { readonly reason: string } {
  const named = Object.entries(given).map(([name, value]) => [variableNameOf(name), value] as const);
  const names = named.map(([name]) => name);
  if (!names.every((name) => name !== '' && isColumnName(name))) {
    return { reason: 'variables: one has no name that can be used' };
  }
  const seen = new Set<string>();
  const twice = names.find((name) => seen.has(name) || !seen.add(name));
  return twice === undefined ? { values: Object.fromEntries(named) } : { reason: `variables: ${twice} is there twice` };
}

/** Told so much of what is no number: enough to find it again. */
const SHOWN_CHARS = 40;

function readInto(
  batches: ContactBatches,
  row: number,
  given: GivenContact | Unreadable,
  needed: readonly string[],
): void {
  const reading = 'variables' in given ? readContact(given, needed) : { ok: false as const, ...given };
  if (reading.ok) {
    batches.accept({ row, contact: reading.contact });
    return;
  }
  const phoneNumber = given.phoneNumber === '' ? null : given.phoneNumber.slice(0, SHOWN_CHARS);
  batches.refuse({ row, phoneNumber, result: 'invalid', reason: reading.reason });
}
