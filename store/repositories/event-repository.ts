import type { CallEvent, TranscriptTurn } from '../../contract/events';
import { statusesBefore } from '../call-status';
import type { EventSource } from '../entities/call-event';
import { isDataError } from '../errors';
import { decodeEventCursor, encodeEventCursor } from '../event-cursor';
import { isUuid } from '../ids';
import { jsonbParameter, storableText } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { pageLimit, toPage } from '../page';
import type { Page, PageRequest } from '../page';
import { prepared } from '../prepared';
import type { SecretBox } from '../secrets';
import { openTurnText, sealTurnText } from '../turn-text';
import { BEFORE_ANSWERED, PROJECT_ANSWERS } from './answered-calls';
import { BEFORE_HELD, PROJECT_HOLDS } from './held-calls';

export interface StoredEvent {
  readonly source: EventSource;
  readonly seq: number;
  readonly at: Date;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** Events no table can hold (a broken id, a number out of range): they are dropped, the rest of the batch is stored. */
export interface BatchResult {
  readonly stored: number;
  readonly rejected: readonly CallEvent[];
}

interface EventRow {
  readonly callId: string;
  readonly orgId: string;
  readonly source: EventSource;
  readonly seq: number;
  readonly at: Date;
  readonly type: string;
  readonly data: string;
}

/** The timeline of calls, from their nodes and their workflows. Everything is inserted once, however often it is sent. */
export class EventRepository {
  readonly #session: StoreSession;
  readonly #secrets: Pick<SecretBox, 'seal' | 'open'>;

  constructor(session: StoreSession, secrets: Pick<SecretBox, 'seal' | 'open'>) {
    this.#session = session;
    this.#secrets = secrets;
  }

  /**
   * Events of any number of calls, in any order, also of calls that have no row yet: events and transcript turns in one
   * statement, then what the calls' rows show of them. Rejects only when PostgreSQL is away: then the whole batch is to
   * be sent again.
   */
  async insertBatch(events: readonly CallEvent[]): Promise<BatchResult> {
    const valid = events.filter(isStorable);
    const rejected = events.filter((event) => !isStorable(event));
    const refused = await this.#insert(valid);
    await this.#projectRinging(valid);
    await this.#projectAnswers(valid);
    await this.#projectHolds(valid);
    return { stored: valid.length - refused.length, rejected: [...rejected, ...refused] };
  }

  /** The one timeline, sorted by (at, source, seq), oldest first. */
  async list(orgId: string, callId: string, request: PageRequest = {}): Promise<Page<StoredEvent>> {
    if (!isUuid(callId)) return { items: [], next: null };
    const limit = pageLimit(request);
    const after = request.cursor === undefined ? null : decodeEventCursor(callId, request.cursor);
    const rows: StoredEvent[] = await this.#session.manager.query(after === null ? FIRST_PAGE : LATER_PAGE, [
      callId,
      orgId,
      limit + 1,
      ...(after === null ? [] : [after.at, after.source, after.seq]),
    ]);
    const events = rows.map((row) => this.#opened({ orgId, callId }, row));
    return toPage(events, limit, (event) => encodeEventCursor(callId, event));
  }

  #sealed(event: CallEvent): CallEvent {
    if (event.type !== 'turn') return event;
    const text = sealTurnText(this.#secrets, event, storableText(event.turn.text));
    return { ...event, turn: { ...event.turn, text } };
  }

  #opened(owner: { readonly orgId: string; readonly callId: string }, event: StoredEvent): StoredEvent {
    const turn = event.data['turn'] as TranscriptTurn | undefined;
    if (event.type !== 'turn' || turn === undefined) return event;
    return {
      ...event,
      data: { ...event.data, turn: { ...turn, text: openTurnText(this.#secrets, owner, turn.text) } },
    };
  }

  /** Answers the events that cannot be stored, having found them by halving the batch. */
  async #insert(events: readonly CallEvent[]): Promise<CallEvent[]> {
    if (events.length === 0) return [];
    const sealed = events.map((event) => this.#sealed(event));
    const turns = sealed.filter((event) => event.type === 'turn');
    try {
      await this.#session.manager.query(INSERT, [...eventParameters(sealed.map(toRow)), ...turnParameters(turns)]);
      return [];
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (events.length === 1) return [...events];
      const half = Math.ceil(events.length / 2);
      return [...(await this.#insert(events.slice(0, half))), ...(await this.#insert(events.slice(half)))];
    }
  }

  async #projectRinging(events: readonly CallEvent[]): Promise<void> {
    // Whoever has answered meanwhile does not ring any more.
    const answered = new Set(callsWith('answered', events));
    const ringing = callsWith('ringing', events).filter((callId) => !answered.has(callId));
    if (ringing.length === 0) return;
    // After the events are committed: a row that is inserted meanwhile finds them (CallRepository.insertCall). Rows are
    // locked in one order, so that two batches cannot lock each other out.
    await this.#session.manager.query(PROJECT_RINGING, [ringing, statusesBefore('ringing')]);
  }

  async #projectAnswers(events: readonly CallEvent[]): Promise<void> {
    const answered = callsWith('answered', events);
    if (answered.length > 0) await this.#session.manager.query(PROJECT_ANSWERS, [answered, BEFORE_ANSWERED]);
  }

  async #projectHolds(events: readonly CallEvent[]): Promise<void> {
    const changed = callsWith('hold', events);
    if (changed.length === 0) return;
    await this.#session.manager.query(PROJECT_HOLDS, [changed, BEFORE_HELD]);
  }
}

const callsWith = (wanted: CallEvent['type'], events: readonly CallEvent[]): string[] => [
  ...new Set(events.filter(({ type }) => type === wanted).map(({ callId }) => callId)),
];

const OF_CALL = 'SELECT source, seq, at, type, data FROM call_events WHERE call_id = $1 AND org_id = $2';
const IN_ORDER = 'ORDER BY at, source, seq LIMIT $3';
const FIRST_PAGE = prepared(`${OF_CALL} ${IN_ORDER}`);
const LATER_PAGE = `${OF_CALL} AND (at, source, seq) > ($4::timestamptz, $5::text, $6::int) ${IN_ORDER}`;

/** Sorted: two batches with the same rows in different orders would lock each other out. */
const INSERT_EVENTS = `
  INSERT INTO call_events (call_id, org_id, source, seq, at, type, data)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::jsonb[])
    AS e (call_id, org_id, source, seq, at, type, data) ORDER BY call_id, source, seq
  ON CONFLICT DO NOTHING`;

const INSERT_TURNS = `
  INSERT INTO transcript_turns (call_id, org_id, index, speaker, text, start_ms, end_ms, interrupted_at_ms)
  SELECT * FROM unnest($8::uuid[], $9::uuid[], $10::int[], $11::text[], $12::text[], $13::int[], $14::int[], $15::int[])
    AS t (call_id, org_id, index, speaker, text, start_ms, end_ms, interrupted_at_ms) ORDER BY call_id, index
  ON CONFLICT DO NOTHING`;

const INSERT = prepared(`WITH turns AS (${INSERT_TURNS}) ${INSERT_EVENTS}`);

const PROJECT_RINGING = prepared(
  `UPDATE calls SET status = 'ringing' WHERE id IN (
     SELECT id FROM calls WHERE id = ANY($1::uuid[]) AND status = ANY($2::text[]) ORDER BY id FOR UPDATE)`,
);

const MAX_INT = 2 ** 31 - 1;

function isStorable({ callId, orgId, seq, atMs }: CallEvent): boolean {
  // ±8.64e15 ms is what a Date can hold.
  const countable = Number.isInteger(seq) && seq >= 1 && seq <= MAX_INT;
  return isUuid(callId) && isUuid(orgId) && countable && Math.abs(atMs) <= 8.64e15;
}

function toRow(event: CallEvent): EventRow {
  const { callId, orgId, seq, atMs, type, ...data } = event;
  return { callId, orgId, source: 'node', seq, at: new Date(atMs), type, data: jsonbParameter(data) };
}

function eventParameters(rows: readonly EventRow[]): unknown[] {
  return [
    rows.map((row) => row.callId),
    rows.map((row) => row.orgId),
    rows.map((row) => row.source),
    rows.map((row) => row.seq),
    rows.map((row) => row.at),
    rows.map((row) => row.type),
    rows.map((row) => row.data),
  ];
}

function turnParameters(events: readonly (CallEvent & { type: 'turn' })[]): unknown[] {
  const column = <T>(pick: (turn: TranscriptTurn) => T): T[] => events.map(({ turn }) => pick(turn));
  return [
    events.map((event) => event.callId),
    events.map((event) => event.orgId),
    column((turn) => turn.index),
    column((turn) => turn.speaker),
    column((turn) => turn.text),
    column((turn) => Math.round(turn.startMs)),
    column((turn) => Math.round(turn.endMs)),
    column((turn) => (turn.interruptedAtMs === null ? null : Math.round(turn.interruptedAtMs))),
  ];
}
