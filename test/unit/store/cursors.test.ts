import fc from 'fast-check';
import { decodeEventCursor, encodeEventCursor } from '../../../store/event-cursor';
import { StoreError } from '../../../store/errors';
import { pageLimit, toPage } from '../../../store/page';
import { decodeCursor, encodeCursor, encodePosition } from '../../../store/page-cursor';

const at = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });

const LIST = 'calls';
const CALL = '01900000-0000-7000-8000-000000000000';

/** Why it is refused. */
function refusal(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error);
  }
}

describe('cursors', () => {
  it('lead back to the row they were made of', () => {
    fc.assert(
      fc.property(at, fc.uuid(), (time, id) => {
        expect(decodeCursor(LIST, encodeCursor(LIST, { at: time, id }))).toEqual({ at: time, id });
      }),
    );
    fc.assert(
      fc.property(
        at,
        fc.constantFrom('node' as const, 'workflow' as const),
        fc.nat(999_999_999),
        (time, source, seq) => {
          const position = { at: time, source, seq };
          expect(decodeEventCursor(CALL, encodeEventCursor(CALL, position))).toEqual(position);
        },
      ),
    );
  });

  it('that a user made up are refused by name', () => {
    const invalid = (cursor: string): boolean =>
      [() => decodeCursor(LIST, cursor), () => decodeEventCursor(CALL, cursor)].every(
        (decode) => refusal(decode) === 'invalid_cursor',
      );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, named) => {
        const given = named ? `${LIST}:${text}` : text;
        return [given, Buffer.from(given).toString('base64url')].every(invalid);
      }),
    );
    for (const text of [`${LIST}:999999999999999:x`, `call_events/${CALL}:-999999999999999:node:1`, `1:${CALL}`]) {
      expect([text, invalid(Buffer.from(text).toString('base64url'))]).toEqual([text, true]);
    }
    // A row of another kind than the list has.
    const [event, row] = ['node:1', CALL].map((key) => encodePosition(LIST, { at: new Date(1), key }));
    expect(refusal(() => decodeCursor(LIST, event!))).toBe('invalid_cursor');
    const ofCall = Buffer.from(row!, 'base64url').toString().replace(LIST, `call_events/${CALL}`);
    expect(refusal(() => decodeEventCursor(CALL, Buffer.from(ofCall).toString('base64url')))).toBe('invalid_cursor');
  });

  it('of another list are told so', () => {
    const event = { at: new Date(1), source: 'node', seq: 1 } as const;
    const ofRow = encodeCursor('contacts', { at: new Date(1), id: CALL });
    const ofEvent = encodeEventCursor(CALL.replace('9', '8'), event);
    for (const cursor of [ofRow, ofEvent]) {
      expect(refusal(() => decodeCursor(LIST, cursor))).toBe('cursor_of_another_list');
      expect(refusal(() => decodeEventCursor(CALL, cursor))).toBe('cursor_of_another_list');
    }
    expect(decodeEventCursor(CALL.toUpperCase(), encodeEventCursor(CALL, event))).toEqual(event);
  });
});

describe('pages', () => {
  it('have 1 to 100 rows', () => {
    expect([undefined, 0, -5, 7.9, 100, 5000, Number.NaN].map((limit) => pageLimit({ limit }))).toEqual([
      50, 1, 1, 7, 100, 100, 50,
    ]);
  });

  it('name the next page only when a further row was read', () => {
    const rows = [1, 2, 3].map((n) => ({ at: new Date(n), id: '00000000-0000-7000-8000-00000000000' + n }));
    const cursorOf = (row: (typeof rows)[number]): string => encodeCursor(LIST, row);
    expect(toPage(rows, 3, cursorOf).next).toBeNull();
    const page = toPage(rows, 2, cursorOf);
    expect(page.items).toHaveLength(2);
    expect(decodeCursor(LIST, page.next!)).toEqual(rows[1]);
    expect(toPage([], 2, cursorOf)).toEqual({ items: [], next: null });
  });
});
