import { recordLines, tableLines } from '../../../../scripts/cli/table';

interface Row {
  readonly name: string | null;
  readonly size: number;
}

const COLUMNS = [
  { title: 'NAME', value: ({ name }: Row) => name },
  { title: 'SIZE', value: ({ size }: Row) => size },
];

describe('a table', () => {
  test('has columns as wide as their widest value, and no spaces at the end of a line', () => {
    const rows = [
      { name: 'a longer name', size: 1 },
      { name: null, size: 10_000 },
    ];
    expect(tableLines(COLUMNS, rows)).toEqual(['NAME           SIZE', 'a longer name  1', '-              10000']);
  });

  test('counts characters as they are seen', () => {
    const [, ...lines] = tableLines(COLUMNS, [
      { name: 'Zoe\u0308 👩‍👩‍👧', size: 1 },
      { name: 'abcde', size: 2 },
    ]);
    expect(lines).toEqual(['Zoe\u0308 👩‍👩‍👧  1', 'abcde  2']);
  });

  test.each(['\u001b[2J', '\u009b2J', 'a\nb', '\u202ereversed'])(
    'sends a terminal nothing that it obeys: %j',
    (name) => {
      const [, line = ''] = tableLines(COLUMNS, [{ name, size: 1 }]);
      expect(line).toMatch(/^[\x20-\x7e]+$/);
      expect(line).toContain('\\u');
    },
  );
});

test('a record is a name and a value per line, what is nested by its path', () => {
  const record = { id: 'x', sip: { q850: 17, reason: null }, tags: ['a', 'b'], none: [], empty: {}, list: [{ id: 1 }] };
  expect(recordLines(record)).toEqual([
    'id          x',
    'sip.q850    17',
    'sip.reason  -',
    'tags        a, b',
    'none        -',
    'empty       {}',
    'list        {"id":1}',
  ]);
});
