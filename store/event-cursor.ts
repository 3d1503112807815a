import type { EventSource } from './entities/call-event';
import { StoreError } from './errors';

export interface EventPosition {
  readonly at: Date;
  readonly source: EventSource;
  readonly seq: number;
}

/** What PostgreSQL's timestamps begin with: 4714-11-24 BC. */
const EARLIEST_MS = -210_866_803_200_000;

export function encodeEventCursor({ at, source, seq }: EventPosition): string {
  return Buffer.from(`${at.getTime()}:${source}:${seq}`, 'utf8').toString('base64url');
}

/** @throws StoreError `invalid_cursor` */
export function decodeEventCursor(cursor: string): EventPosition {
  const match = /^(-?\d{1,15}):(node|workflow):(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const atMs = Number(match?.[1]);
  if (!match || atMs < EARLIEST_MS) throw new StoreError('invalid_cursor', 'the cursor is not one this server gave');
  return { at: new Date(atMs), source: match[2] as EventSource, seq: Number(match[3]) };
}
