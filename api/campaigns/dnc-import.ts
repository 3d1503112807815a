/** Numbers on their way to a list of those that are not called: each batch a transaction of its own, each number once. */
import type { RefusedRow } from '../../store/entities/campaign-import-part';
import { numberOf } from '../../store/campaigns/contact-row';
import type { NewDncEntry } from '../../store/repositories/dnc-repository';
import { impossible } from '../errors';
import type { ApiStore } from '../store';
import { BatchedRows } from './batched-rows';
import { readCsvRows } from './csv-rows';
import type { CsvRow } from './csv-rows';

interface DncCounts {
  readonly accepted: number;
  readonly duplicates: number;
  readonly invalid: number;
}

export interface DncImportResult extends DncCounts {
  readonly rows: readonly RefusedRow[];
}

interface GivenEntry {
  readonly row: number;
  readonly phoneNumber: string;
  readonly reason: string;
}

export interface DncImportDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  /** Whose key asks. */
  readonly orgId: string;
  /** Whose list: the organisation's id, or null for the server's. */
  readonly owner: string | null;
  /** Asked once it has come to its end, or stopped: with what was stored by then. */
  readonly note: (after: DncCounts & { readonly status: 'completed' | 'aborted' }) => Promise<void>;
}

const COLUMNS = ['phone_number', 'reason'] as const;
const MAX_REASON_CHARS = 500;
const SHOWN_CHARS = 40;

export async function importCsvNumbers(deps: DncImportDeps, source: AsyncIterable<Buffer>): Promise<DncImportResult> {
  const pieces = readCsvRows(source, COLUMNS);
  const header = (await pieces.next()).value as { readonly names: readonly string[] } | undefined;
  if (header?.names.includes('phone_number') !== true) {
    throw impossible('missing_column', 'The CSV lacks the column phone_number', { columns: ['phone_number'] });
  }
  return run(deps, async (take, pace, refuse) => {
    for await (const piece of pieces) {
      for (const found of piece as readonly CsvRow[]) {
        const { row } = found;
        if ('broken' in found) refuse({ row, phoneNumber: null, result: 'invalid', reason: found.broken });
        else take({ row, phoneNumber: found.values['phone_number'] ?? '', reason: found.values['reason'] ?? '' });
      }
      await pace();
    }
  });
}

export async function importNumbers(
  deps: DncImportDeps,
  entries: readonly { readonly phone_number: string; readonly reason?: string | null | undefined }[],
): Promise<DncImportResult> {
  return run(deps, (take) => {
    for (const [n, { phone_number: phoneNumber, reason }] of entries.entries()) {
      take({ row: n + 1, phoneNumber: phoneNumber.trim(), reason: reason ?? '' });
    }
    return Promise.resolve();
  });
}

type Fill = (
  take: (entry: GivenEntry) => void,
  pace: () => Promise<void>,
  refuse: (row: RefusedRow) => void,
) => Promise<void>;

async function run({ store, orgId, owner, note }: DncImportDeps, fill: Fill): Promise<DncImportResult> {
  const count = { accepted: 0, duplicates: 0, invalid: 0 };
  const batches = new BatchedRows<NewDncEntry & { readonly row: number }, RefusedRow>({
    store: async ({ rows, refused }) => {
      const added = await store.forOrg(orgId).write((org) => org.dnc.add(owner, 'import', rows));
      const duplicates = duplicatesIn(rows, new Set(added.map(({ phoneNumber }) => phoneNumber)));
      count.accepted += added.length;
      count.duplicates += duplicates.length;
      count.invalid += refused.length;
      return [...refused, ...duplicates].sort((a, b) => a.row - b.row);
    },
  });
  const refuse = (row: RefusedRow): void => batches.refuse(row);
  const take = ({ row, phoneNumber: given, reason }: GivenEntry): void => {
    const number = numberOf(given);
    const shown = given === '' ? null : given.slice(0, SHOWN_CHARS);
    if (typeof number !== 'string') refuse({ row, phoneNumber: shown, result: 'invalid', reason: number.reason });
    else batches.accept({ row, phoneNumber: number, reason: reason === '' ? null : cut(reason) });
  };
  try {
    await fill(take, () => batches.pace(), refuse);
    await batches.end();
  } catch (error) {
    await batches.settled();
    // What stopped it is told, not that nobody could write that down.
    await note({ status: 'aborted', ...count }).catch(() => undefined);
    throw error;
  }
  await note({ status: 'completed', ...count });
  return { ...count, rows: batches.told };
}

/** That a number is not to be called counts more than a long reason for it. */
const cut = (reason: string): string => reason.replaceAll('\0', '').slice(0, MAX_REASON_CHARS);

/** Of a number that comes twice in a batch, one was added. */
function duplicatesIn(
  rows: readonly { readonly row: number; readonly phoneNumber: string }[],
  added: ReadonlySet<string>,
): RefusedRow[] {
  const left = new Set(added);
  return rows
    .filter(({ phoneNumber }) => !left.delete(phoneNumber))
    .map(({ row, phoneNumber }) => ({
      row,
      phoneNumber,
      result: 'duplicate',
      reason: 'the number is on the list already',
    }));
}
