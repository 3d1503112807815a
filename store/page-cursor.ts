/** A cursor names its list and a row of it: `calls:1767225600000:<id>`, in base64url. */
import { StoreError } from './errors';
import { isUuid } from './ids';

export interface RowPosition {
  readonly at: Date;
  readonly id: string;
}

/** Where in its list a row stands: its time, and what tells it from others of that time. */
export interface ListPosition {
  readonly at: Date;
  readonly key: string;
}

/** A list's name may say whose it is: `call_events/<id>`. The key is an id, or an event's source and number. */
const CURSOR = /^([a-z_]{1,40}(?:\/[\da-f-]{36})?):(-?\d{1,15}):([\da-f-]{36}|(?:node|workflow):\d{1,9})$/i;
/** What PostgreSQL's timestamps begin with: 4714-11-24 BC. */
const EARLIEST_MS = -210_866_803_200_000;

export function encodePosition(list: string, { at, key }: ListPosition): string {
  return Buffer.from(`${list}:${at.getTime()}:${key}`, 'utf8').toString('base64url');
}

/** @throws StoreError `invalid_cursor`, `cursor_of_another_list` */
export function decodePosition(list: string, cursor: string): ListPosition {
  const match = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const [, named, time, key = ''] = match ?? [];
  const atMs = Number(time);
  if (match === null || atMs < EARLIEST_MS) throw invalidCursor();
  if (named !== list) throw new StoreError('cursor_of_another_list', 'the cursor was given for another list');
  return { at: new Date(atMs), key };
}

export function encodeCursor(list: string, { at, id }: RowPosition): string {
  return encodePosition(list, { at, key: id });
}

/** @throws StoreError `invalid_cursor`, `cursor_of_another_list` */
export function decodeCursor(list: string, cursor: string): RowPosition {
  const { at, key: id } = decodePosition(list, cursor);
  if (!isUuid(id)) throw invalidCursor();
  return { at, id };
}

export function invalidCursor(): StoreError {
  return new StoreError('invalid_cursor', 'the cursor is not one this server gave');
}
