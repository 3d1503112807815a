/** Keyset pages: the cursor names the last row seen, so rows that arrive meanwhile shift nothing. */
import type { EntityManager, EntityTarget, FindOptionsWhere } from 'typeorm';
import { decodeCursor, encodeCursor } from './page-cursor';

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
  /** One of them must hold: each is asked for alone, because each has an index in the list's order. */
  readonly where: readonly FindOptionsWhere<Row>[];
  readonly request: PageRequest;
  /** The column that tells a row's time. */
  readonly time: Time;
  readonly period?: Period;
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
 * Newest first. The store's only query that is built: `find` cannot compare a row with a position, which an index on
 * (org_id, time, id) answers.
 * @throws StoreError `invalid_cursor`
 */
export async function newestPage<Time extends string, Row extends { id: string } & Record<Time, Date>>(
  manager: EntityManager,
  { entity, where, request, time, period = {} }: PageQuery<Row, Time>,
): Promise<Page<Row>> {
  const limit = pageLimit(request);
  const position = request.cursor === undefined ? null : decodeCursor(request.cursor);
  const found = new Map<string, Row>();
  for (const condition of where) {
    const query = manager
      .createQueryBuilder(entity, 'row')
      .where(condition)
      .orderBy(`row.${time}`, 'DESC')
      .addOrderBy('row.id', 'DESC')
      .limit(limit + 1);
    if (period.after !== undefined) query.andWhere(`row.${time} >= :after`, { after: period.after });
    // Not both bounds from above: an index is read from the first of them, and passes over what is before the cursor.
    if (position !== null && (period.before === undefined || position.at < period.before)) {
      query.andWhere(`(row.${time}, row.id) < (:at, :id)`, position);
    } else if (period.before !== undefined) {
      query.andWhere(`row.${time} < :before`, { before: period.before });
    }
    for (const row of await query.getMany()) found.set(row.id, row);
  }
  const rows = [...found.values()];
  if (where.length > 1) rows.sort((a, b) => b[time].getTime() - a[time].getTime() || (a.id < b.id ? 1 : -1));
  return toPage(rows, limit, (row) => encodeCursor({ at: row[time], id: row.id }));
}
