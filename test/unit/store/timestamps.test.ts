import fc from 'fast-check';
import { types } from 'pg';

import { TIMESTAMPTZ, parseTimestamp } from '../../../store/timestamps';

const asPgDoes = types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => unknown;
const two = (n: number): string => String(n).padStart(2, '0');

test('reads what PostgreSQL writes just as its driver does', () => {
  const written = fc
    .record({
      at: fc.date({ min: new Date(-62_000_000_000_000), max: new Date(250_000_000_000_000), noInvalidDate: true }),
      fraction: fc.stringMatching(/^(?:\.\d{0,5}[1-9])?$/),
      zone: fc.constantFrom('+00', '+00', '+02', '-03:30', '+05:30:20'),
      era: fc.constantFrom('', '', '', ' BC'),
    })
    .map(({ at, fraction, zone, era }) => {
      const [date, time] = [at.toISOString().replace(/^\+0*/, '').split('T')[0], at];
      return `${date} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}${fraction}${zone}${era}`;
    });
  fc.assert(fc.property(written, (text) => expect(parseTimestamp(text)).toEqual(asPgDoes(text))));
});

test.each(['infinity', '-infinity', '2026-01-02', '', '2026-01-02 03:04:05+00', '12026-01-02 03:04:05.678+00'])(
  '%s',
  (text) => {
    expect(parseTimestamp(text)).toEqual(asPgDoes(text));
  },
);
