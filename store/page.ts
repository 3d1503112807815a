/** Keyset pages: the cursor names the last row seen, so rows that arrive meanwhile shift nothing. */
import type { EntityManager, EntityTarget } from 'typeorm';
import { decodeCursor, encodeCursor } from './page-cursor';
import type { RowPosition } from './page-cursor';
import { prepared } from './prepared';
import { rowTable } from './rows';
import type { RowTable } from './rows';

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
   * Columns and their values, null for none. One of them must hold: each is a list of its own, because each has an index in
   * the list's order.
   */
  readonly where: readonly Partial<Row>[];
  readonly request: PageRequest;
  /** Whose list it is, where each of them has one of its own: a cursor leads on in that one alone. */
  readonly of?: string;
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
 * @throws StoreError `invalid_cursor`, `cursor_of_another_list`
 */
export async function newestPage<Time extends string, Row extends { id: string } & Record<Time, Date>>(
  manager: EntityManager,
  query: PageQuery<Row, Time>,
): Promise<Page<Row>> {
  const { request, time, of } = query;
  const limit = pageLimit(request);
  const table = rowTable(manager, query.entity);
  const list = of === undefined ? table.name : `${table.name}/${of.toLowerCase()}`;
  const position = request.cursor === undefined ? null : decodeCursor(list, request.cursor);
  const { text, parameters } = statementOf(table, query, position, limit + 1);
  const rows: Row[] = await manager.query(text, [...parameters]);
  return toPage(rows.map(table.read), limit, (row) => encodeCursor(list, { at: row[time], id: row.id }));
}

/** Several lists are merged as they are read: of both no more than the page has. */
function statementOf<Row, Time extends keyof Row & string>(
  { select, columns }: RowTable,
  { where, time, periods = {} }: PageQuery<Row, Time>,
  position: RowPosition | null,
  most: number,
): { readonly text: string; readonly parameters: readonly unknown[] } {
  const parameters: unknown[] = [];
  const parameter = (value: unknown): string => `$${parameters.push(value)}`;
  const alternatives = where.map((condition) =>
    Object.entries(condition).map(([property, value]) =>
      value === null ? `${columns[property]} IS NULL` : `${columns[property]} = ${parameter(value)}`,
    ),
  );
  const ofOneFilter = parameters.length <= 2 * where.length;
  const inPeriod: string[] = [];
  const before = (periods as Partial<Record<string, Period>>)[time]?.before;
  // Not both bounds from above: an index is read from the first of them, and passes over what is before the cursor.
  const fromPosition = position !== null && (before === undefined || position.at < before);
  for (const [property, period] of Object.entries<Period | undefined>(periods)) {
    const column = columns[property];
    if (period?.after !== undefined) inPeriod.push(`${column} >= ${parameter(period.after)}`);
    if (fromPosition && property === time) continue;
    if (period?.before !== undefined) inPeriod.push(`${column} < ${parameter(period.before)}`);
  }
  if (fromPosition) inPeriod.push(`(${columns[time]}, id) < (${parameter(position.at)}, ${parameter(position.id)})`);
  const lists = alternatives.map((conditions, n) => {
    // What an earlier list has too.
    const others = alternatives.slice(0, n).map((earlier) => `(${earlier.join(' AND ')}) IS NOT TRUE`);
    const condition = [...conditions, ...inPeriod, ...others].join(' AND ') || 'true';
    return `${select} WHERE ${condition} ORDER BY ${columns[time]} DESC, id DESC LIMIT ${most}`;
  });
  const merged = `SELECT * FROM ((${lists.join(') UNION ALL (')})) AS lists ORDER BY "${time}" DESC, id DESC LIMIT ${most}`;
  const text = lists.length === 1 ? lists.join('') : merged;
  // By one filter at most: which index is best does not hang on its value.
  return { text: ofOneFilter && inPeriod.length === 0 ? prepared(text) : text, parameters };
}
