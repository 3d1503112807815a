import { StoreError } from './errors';
import { isUuid } from './ids';

export interface RowPosition {
  readonly at: Date;
  readonly id: string;
}

export function encodeCursor({ at, id }: RowPosition): string {
  return Buffer.from(`${at.getTime()}:${id}`, 'utf8').toString('base64url');
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
