import type { EventSource } from './entities/call-event';
import { decodePosition, encodePosition, invalidCursor } from './page-cursor';

export interface EventPosition {
  readonly at: Date;
  readonly source: EventSource;
  readonly seq: number;
}

export function encodeEventCursor(callId: string, { at, source, seq }: EventPosition): string {
  return encodePosition(listOf(callId), { at, key: `${source}:${seq}` });
}

/** @throws StoreError `invalid_cursor`, `cursor_of_another_list` for one of another call's events too */
export function decodeEventCursor(callId: string, cursor: string): EventPosition {
  const { at, key } = decodePosition(listOf(callId), cursor);
  const [source, seq] = key.split(':');
  if (seq === undefined) throw invalidCursor();
  return { at, source: source as EventSource, seq: Number(seq) };
}

/** Clients may write a UUID in capitals. */
const listOf = (callId: string): string => `call_events/${callId.toLowerCase()}`;
