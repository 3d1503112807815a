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
  /** One of them must hold. */
  readonly where: FindOptionsWhere<Row>[];
  readonly request: PageRequest;
  /** The column that tells a row's time. */
  readonly time: Time;
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
  { entity, where, request, time }: PageQuery<Row, Time>,
): Promise<Page<Row>> {
  const limit = pageLimit(request);
  const query = manager
    .createQueryBuilder(entity, 'row')
    .where(where)
    .orderBy(`row.${time}`, 'DESC')
    .addOrderBy('row.id', 'DESC')
    .limit(limit + 1);
  if (request.cursor !== undefined) query.andWhere(`(row.${time}, row.id) < (:at, :id)`, decodeCursor(request.cursor));
  return toPage(await query.getMany(), limit, (row) => encodeCursor({ at: row[time], id: row.id }));
}
