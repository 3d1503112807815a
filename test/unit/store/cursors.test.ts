import fc from 'fast-check';
import { decodeEventCursor, encodeEventCursor } from '../../../store/event-cursor';
import { StoreError } from '../../../store/errors';
import { pageLimit, toPage } from '../../../store/page';
import { decodeCursor, encodeCursor } from '../../../store/page-cursor';

const at = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });

function refused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    return error instanceof StoreError && error.code === 'invalid_cursor';
  }
}

describe('cursors', () => {
  it('lead back to the row they were made of', () => {
    fc.assert(
      fc.property(at, fc.uuid(), (time, id) => {
        expect(decodeCursor(encodeCursor({ at: time, id }))).toEqual({ at: time, id });
      }),
    );
    fc.assert(
      fc.property(
        at,
        fc.constantFrom('node' as const, 'workflow' as const),
        fc.nat(999_999_999),
        (time, source, seq) => {
          const position = { at: time, source, seq };
          expect(decodeEventCursor(encodeEventCursor(position))).toEqual(position);
        },
      ),
    );
  });

  it('that a user made up are refused by name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = Buffer.from(text).toString('base64url');
        return [text, encoded].every((c) => refused(() => decodeCursor(c)) && refused(() => decodeEventCursor(c)));
      }),
    );
    expect(refused(() => decodeCursor(Buffer.from('999999999999999:x').toString('base64url')))).toBe(true);
    const beforeTime = Buffer.from('-999999999999999:node:1').toString('base64url');
    expect(refused(() => decodeEventCursor(beforeTime))).toBe(true);
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
    expect(toPage(rows, 3, encodeCursor).next).toBeNull();
    const page = toPage(rows, 2, encodeCursor);
    expect(page.items).toHaveLength(2);
    expect(decodeCursor(page.next!)).toEqual(rows[1]);
    expect(toPage([], 2, encodeCursor)).toEqual({ items: [], next: null });
  });
});
