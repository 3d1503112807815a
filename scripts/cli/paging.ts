import type { Command } from 'commander';

import type { ApiPage, QueryValues } from './api-client';
import { wholeNumber } from './arguments';
import type { Field } from './fields';
import type { CliSession } from './session';
import type { Column } from './table';

export interface PageOptions {
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: boolean;
}

/** Of lists whose things are found by when they were made. */
export const CREATED_FILTERS: readonly Field[] = [
  { name: 'created_after', flags: '--after <time>', help: 'ISO 8601, such as 2026-11-24T09:00:00Z' },
  { name: 'created_before', flags: '--before <time>', help: 'ISO 8601' },
];

export function addPageOptions(command: Command): Command {
  return command
    .option('--limit <n>', 'how many on a page, 1 to 100', wholeNumber)
    .option('--cursor <cursor>', 'the page that a former one named as next')
    .option('--all', 'every page');
}

/** One page, or all of them as one. */
export async function printPages<Row>(
  { api, output }: CliSession,
  path: string,
  { limit, cursor, all }: PageOptions,
  filters: QueryValues,
  columns: readonly Column<Row>[],
): Promise<void> {
  const query = { ...filters, limit, cursor };
  if (all !== true) return output.page(await api.get<ApiPage<Row>>(path, query), columns);
  const rows: Row[] = [];
  const reading = async (): Promise<void> => {
    for await (const { items } of api.pages<Row>(path, query)) rows.push(...items);
  };
  await output.waiting('reading every page', reading());
  output.page({ items: rows, next: null }, columns);
}
