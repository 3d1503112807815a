/** Keyset pages: the cursor names the last row seen, so rows that arrive meanwhile shift nothing. */
import type { EntityManager, EntityMetadata, EntityTarget } from 'typeorm';
import { decodeCursor, encodeCursor } from './page-cursor';
import type { RowPosition } from './page-cursor';

export interface Page<T> {
  readonly items: T[];
  /** Cursor of the next page, null on the last. */
  readonly next: string | null;
}

export interface PageRequest {
  readonly cursor?: string | undefined;
  /** 1..100, default 50. */
  readonly limit?: number | undefined;
}

export interface PageQuery<Row, Time extends keyof Row> {
  readonly entity: EntityTarget<Row>;
  /**
   * Columns and their values, null for none. One of them must hold: each is asked for alone, because each has an index in
   * the list's order.
   */
  readonly where: readonly Partial<Row>[];
  readonly request: PageRequest;
  /** The column that tells a row's time, in whose order they are listed. */
  readonly time: Time;
  /** By column. */
  readonly periods?: { readonly [Column in keyof Row]?: Period };
}

/** From a time on, until before another. */
export interface Period {
  readonly after?: Date | undefined;
  readonly before?: Date | undefined;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

export function pageLimit(request: PageRequest): number {
  const limit = Math.trunc(request.limit ?? DEFAULT_LIMIT);
  return Math.min(MAX_LIMIT, Math.max(1, Number.isNaN(limit) ? DEFAULT_LIMIT : limit));
}

/** @param rows one more than `limit` when there is a further page */
export function toPage<T>(rows: readonly T[], limit: number, cursorOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

/**
 * Newest first. The store's only query that is built, and what most requests ask: `find` cannot compare a row with a
 * position, which an index on (org_id, time, id) answers, and takes longer to make its rows than PostgreSQL to find them.
 * @throws StoreError `invalid_cursor`
 */
export async function newestPage<Time extends string, Row extends { id: string } & Record<Time, Date>>(
  manager: EntityManager,
  query: PageQuery<Row, Time>,
): Promise<Page<Row>> {
  const { request, where, time } = query;
  const limit = pageLimit(request);
  const position = request.cursor === undefined ? null : decodeCursor(request.cursor);
  const table = listedTable(manager.dataSource.getMetadata(query.entity));
  // They leave together.
  const lists = await Promise.all(
    where.map(async (condition): Promise<Row[]> => {
      const { text, parameters } = statementOf(table, query, condition, position);
      return manager.query(`${text} LIMIT ${limit + 1}`, parameters);
    }),
  );
  for (const row of lists.flat()) table.transform(row);
  const [first = [], ...others] = lists;
  const rows = others.length === 0 ? first : [...new Map(lists.flat().map((row) => [row.id, row])).values()];
  if (others.length > 0) rows.sort((a, b) => b[time].getTime() - a[time].getTime() || (a.id < b.id ? 1 : -1));
  return toPage(rows, limit, (row) => encodeCursor({ at: row[time], id: row.id }));
}

function statementOf<Row, Time extends keyof Row & string>(
  { select, columns }: ListedTable,
  { time, periods = {} }: PageQuery<Row, Time>,
  condition: Partial<Row>,
  position: RowPosition | null,
): { readonly text: string; readonly parameters: readonly unknown[] } {
  const parameters: unknown[] = [];
  const parameter = (value: unknown): string => `$${parameters.push(value)}`;
  const conditions = Object.entries(condition).map(([property, value]) =>
    value === null ? `${columns[property]} IS NULL` : `${columns[property]} = ${parameter(value)}`,
  );
  const before = (periods as Partial<Record<string, Period>>)[time]?.before;
  // Not both bounds from above: an index is read from the first of them, and passes over what is before the cursor.
  const fromPosition = position !== null && (before === undefined || position.at < before);
  for (const [property, period] of Object.entries<Period | undefined>(periods)) {
    const column = columns[property];
    if (period?.after !== undefined) conditions.push(`${column} >= ${parameter(period.after)}`);
    if (fromPosition && property === time) continue;
    if (period?.before !== undefined) conditions.push(`${column} < ${parameter(period.before)}`);
  }
  const order = columns[time];
  if (fromPosition) conditions.push(`(${order}, id) < (${parameter(position.at)}, ${parameter(position.id)})`);
  const text = `${select} WHERE ${conditions.join(' AND ')} ORDER BY ${order} DESC, id DESC`;
  return { text, parameters };
}

interface ListedTable {
  readonly select: string;
  /** Names in the database by those in code. */
  readonly columns: Readonly<Record<string, string>>;
  /** What the entity makes of the driver's values. */
  transform(row: object): void;
}

const listedTables = new WeakMap<EntityMetadata, ListedTable>();

function listedTable(metadata: EntityMetadata): ListedTable {
  const known = listedTables.get(metadata);
  if (known !== undefined) return known;
  const { columns } = metadata;
  const selected = columns.filter(({ isSelect }) => isSelect);
  const transformed = selected.flatMap(({ propertyName, transformer }) =>
    transformer === undefined || Array.isArray(transformer) ? [] : [[propertyName, transformer] as const],
  );
  const names = selected.map(({ databaseName, propertyName }) => `${databaseName} AS "${propertyName}"`);
  const table: ListedTable = {
    select: `SELECT ${names.join(', ')} FROM ${metadata.tableName}`,
    columns: Object.fromEntries(columns.map(({ propertyName, databaseName }) => [propertyName, databaseName])),
    transform: (row) => {
      const values = row as Record<string, unknown>;
      for (const [name, transformer] of transformed) values[name] = transformer.from(values[name]);
    },
  };
  listedTables.set(metadata, table);
  return table;
}
