import fc from 'fast-check';

import { isoTime, isoTimeOrNull } from '../../../api/iso-time';

test('writes every time as Date does, the next after whichever was before', () => {
  const near = fc.tuple(fc.date({ noInvalidDate: true }), fc.integer({ min: -172_800_000, max: 172_800_000 }));
  fc.assert(
    fc.property(near, ([date, apart]) => {
      const other = new Date(date.getTime() + apart);
      fc.pre(!Number.isNaN(other.getTime()));
      for (const at of [date, other, date]) expect(isoTime(at)).toBe(at.toISOString());
    }),
  );
});

test('has no text for what is no time', () => {
  expect(() => isoTime(new Date(Number.NaN))).toThrow(RangeError);
  expect(isoTimeOrNull(null)).toBeNull();
});
