/** Keyset pages: newest first, the cursor names the last row seen, so rows that arrive meanwhile shift nothing. */
import { isUuid } from './ids';
import { StoreError } from './errors';

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

export interface RowPosition {
  readonly at: Date;
  readonly id: string;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

export function pageLimit(request: PageRequest): number {
  const limit = Math.trunc(request.limit ?? DEFAULT_LIMIT);
  return Math.min(MAX_LIMIT, Math.max(1, Number.isNaN(limit) ? DEFAULT_LIMIT : limit));
}

export function encodeCursor(position: RowPosition): string {
  return Buffer.from(`${position.at.getTime()}:${position.id}`, 'utf8').toString('base64url');
}

/** @throws StoreError `invalid_cursor` */
export function decodeCursor(cursor: string): RowPosition {
  const [time, id, ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  const at = new Date(/^\d{1,15}$/.test(time ?? '') ? Number(time) : Number.NaN);
  if (Number.isNaN(at.getTime()) || id === undefined || !isUuid(id) || rest.length > 0) {
    throw new StoreError('invalid_cursor', 'the cursor is not one this server gave');
  }
  return { at, id };
}

/** @param rows one more than `limit` when there is a further page */
export function toPage<T>(rows: readonly T[], limit: number, position: (row: T) => RowPosition): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null };
}
