import type { EventSource } from './entities/call-event';
import { StoreError } from './errors';

export interface EventPosition {
  readonly at: Date;
  readonly source: EventSource;
  readonly seq: number;
}

export function encodeEventCursor({ at, source, seq }: EventPosition): string {
  return Buffer.from(`${at.getTime()}:${source}:${seq}`, 'utf8').toString('base64url');
}

/** @throws StoreError `invalid_cursor` */
export function decodeEventCursor(cursor: string): EventPosition {
  const match = /^(-?\d{1,15}):(node|workflow):(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match) throw new StoreError('invalid_cursor', 'the cursor is not one this server gave');
  return { at: new Date(Number(match[1])), source: match[2] as EventSource, seq: Number(match[3]) };
}
