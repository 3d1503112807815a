import fc from 'fast-check';
import { readCsvRows } from '../../../../api/campaigns/csv-rows';
import type { CsvColumns, CsvLimits, CsvRow } from '../../../../api/campaigns/csv-rows';
import { csvLine } from '../../../../api/campaigns/csv-line';

const KNOWN = ['phone_number', 'name'];

/** In pieces of some bytes each. */
async function read(
  given: string | Buffer,
  pieceBytes = 1000,
  limits?: CsvLimits,
): Promise<{ columns: readonly string[]; rows: CsvRow[] }> {
  const bytes = Buffer.from(given as string);
  async function* source(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const rows: CsvRow[] = [];
  let columns: readonly string[] = [];
  for await (const found of readCsvRows(source(), KNOWN, limits)) {
    if ('names' in found) columns = (found as CsvColumns).names;
    else rows.push(...found);
  }
  return { columns, rows };
}

const valuesOf = ({ rows }: { rows: CsvRow[] }): unknown[] => rows.map((row) => ('values' in row ? row.values : row));
const codeOf = (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    () => 'no error',
    (error: { code: string; status: number }) => `${error.status} ${error.code}`,
  );

describe('rows of a CSV', () => {
  const ADA = { phone_number: '+15551234567', name: 'Ada' };

  test.each([
    ['comma', 'phone_number,name\n+15551234567,Ada\n'],
    ['semicolon', 'phone_number;name\n+15551234567;Ada\n'],
    ['tab', 'phone_number\tname\n+15551234567\tAda\n'],
    ['BOM and CRLF', '\u{feff}phone_number,name\r\n+15551234567,Ada\r\n'],
    ['quotes', '"phone_number","name"\n"+15551234567","Ada"'],
    ['a header in other letters', 'Phone Number,NAME\n+15551234567,Ada'],
    ['no line end', 'phone_number,name\n+15551234567,Ada'],
    ['empty lines', 'phone_number,name\n\n+15551234567,Ada\n\r\n\n'],
    ['a column without a name', 'phone_number,,name,\n+15551234567,x,Ada,'],
  ])('with %s', async (_, text) => {
    for (const size of [1, 2, 3, 7, 1000]) expect(valuesOf(await read(text, size))).toEqual([ADA]);
  });

  test('with quotes, separators and line ends in a field, and bytes of one character in two pieces', async () => {
    const text = 'phone_number;name;note\r\n+1;"Müller; ""Jürgen""";"a\r\nb"\r\n+2;𝒳;\r\n';
    for (const size of [1, 2, 5, 1000]) {
      expect(valuesOf(await read(text, size))).toEqual([
        { phone_number: '+1', name: 'Müller; "Jürgen"', note: 'a\r\nb' },
        { phone_number: '+2', name: '𝒳' },
      ]);
    }
  });

  test('are numbered as spreadsheets do, empty lines too', async () => {
    const { rows } = await read('phone_number\n+1\n\n"+2\n"\n+3');
    expect(rows.map(({ row }) => row)).toEqual([2, 4, 5]);
  });

  test('one that is broken loses no other', async () => {
    const after = Array.from({ length: 300 }, (_, n) => `+${n},B\n`).join('');
    const { rows } = await read(`phone_number,name\n+1,A\n+2,"never closed\n${after}+3,5" pipe\n+4,x,y,z\n`, 700);
    expect(rows).toHaveLength(304);
    expect(rows[0]).toEqual({ row: 2, values: { phone_number: '+1', name: 'A' } });
    expect(rows[1]).toEqual({ row: 3, broken: 'a quotation mark is not closed' });
    expect(rows[2]).toEqual({ row: 4, values: { phone_number: '+0', name: 'B' } });
    expect(rows[302]).toEqual({ row: 304, values: { phone_number: '+3', name: '5" pipe' } });
    expect(rows[303]).toEqual({ row: 305, broken: 'has 4 values, the header 2' });
  });

  test('one that is too long is passed over, whatever it weighs', async () => {
    const { rows } = await read(`phone_number\n+1\n${'x'.repeat(500_000)}\n+2\n${'y'.repeat(100_000)}`, 64_000);
    expect(rows).toEqual([
      { row: 2, values: { phone_number: '+1' } },
      { row: 3, broken: 'longer than 64000 characters' },
      { row: 4, values: { phone_number: '+2' } },
      { row: 5, broken: 'longer than 64000 characters' },
    ]);
  });

  test('what cannot be read at all is refused in words', async () => {
    expect(await codeOf(read(Buffer.from('\u{feff}phone_number\n', 'utf16le')))).toBe('422 invalid_header');
    expect(await codeOf(read('a,a\n1,2'))).toBe('422 invalid_header');
    expect(await codeOf(read('x'.repeat(100_000)))).toBe('422 invalid_header');
    expect(await codeOf(read('a,'.repeat(200)))).toBe('422 invalid_header');
    expect(await codeOf(read('a\n1\n2\n3\n', 3, { maxRows: 2, maxBytes: 1000 }))).toBe('413 too_many_rows');
    expect(await codeOf(read('a\n1\n2\n3\n', 3, { maxRows: 9, maxBytes: 5 }))).toBe('413 body_too_large');
  });

  test('any bytes are read to the end, and each line at most once', async () => {
    const words = fc.constantFrom('"', '""', ',', ';', '\n', '\r\n', 'a', ' ', '+1555', '\u{feff}', '\0', 'ü', '\t');
    const texts = fc.array(words, { maxLength: 60 }).map((parts) => `phone_number,name\n${parts.join('')}`);
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 30 }), async (text, size) => {
        const [pieces, whole] = [await read(text, size), await read(text, 10_000)];
        expect(pieces).toEqual(whole);
        const rows = whole.rows.map(({ row }) => row);
        expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
        expect(rows.length).toBeLessThanOrEqual(text.split('\n').length);
      }),
      { numRuns: 500 },
    );
  });

  test('what we write is read back', async () => {
    const cells = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.trim().replaceAll('\0', ''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cells, cells), { minLength: 1, maxLength: 10 }), async (pairs) => {
        const lines = pairs.map(([a, b]) => csvLine(['x', a, b])).join('');
        const { rows } = await read(`phone_number,name,note\r\n${lines}`, 13);
        const back = rows.map((row) => ('values' in row ? [row.values['name'] ?? '', row.values['note'] ?? ''] : row));
        const safe = (text: string): string =>
          (/^[=+\-@]/.test(text) && !/^[+-]\d+(\.\d+)?$/.test(text) ? `'${text}` : text).replaceAll(
            /(?<=[;\t\r\n])(?="*[=+\-@\t\r])/g,
            "'",
          );
        expect(back).toEqual(pairs.map((pair) => pair.map(safe)));
      }),
    );
  });

  test('what we write is no formula by whatever a spreadsheet separates, and else what it was', async () => {
    const words = fc.constantFrom(
      ';',
      '\t',
      '\r',
      '\n',
      ',',
      '"',
      ' ',
      '=',
      '+',
      '-',
      '@',
      '1',
      'a',
      '=WEBSERVICE(A1)',
    );
    const cells = fc.array(words, { maxLength: 12 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(cells, cells, async (a, b) => {
        const line = csvLine(['x', a, b]);
        const [first = '', ...others] = line.split(/[;\t\r\n]/);
        expect(first).toMatch(/^x,/);
        for (const cell of others) expect(cell.replace(/^"+/, '')).not.toMatch(/^[=+\-@]/);
        for (const cell of [a, b]) {
          // By the library of the importer, which trims.
          const [row] = (await read(`phone_number,name\r\n${csvLine(['x', cell])}`)).rows;
          const back = row !== undefined && 'values' in row ? (row.values['name'] ?? '') : '';
          expect(back.replaceAll("'", '').trim()).toBe(cell.trim());
        }
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['=1+1', "'=1+1\r\n"],
  ['@SUM(A1)', "'@SUM(A1)\r\n"],
  ['+cmd|x', "'+cmd|x\r\n"],
  ['-1+1', "'-1+1\r\n"],
  ['\t=1', "'\t'=1\r\n"],
  ['x;=WEBSERVICE(A1)', "x;'=WEBSERVICE(A1)\r\n"],
  ['a\n=1\t@b', '"a\n\'=1\t\'@b"\r\n'],
  ['x;"=1', `"x;'""=1"\r\n`],
  ['x;-5', "x;'-5\r\n"],
  ['-5;x', "'-5;x\r\n"],
  ['a; b, c\nd', '"a; b, c\nd"\r\n'],
  ['+15551234567', '+15551234567\r\n'],
  ['-5', '-5\r\n'],
  ['a,"b"', '"a,""b"""\r\n'],
  ['=a,b', `"'=a,b"\r\n`],
  [null, '\r\n'],
  [7, '7\r\n'],
])('no cell is a formula: %j', (value, line) => {
  expect(csvLine([value])).toBe(line);
});
