export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => unknown;
}

/** Lines under a line of titles, each column as wide as its widest value. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => text(value(row))))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => widthOf(line[at] ?? ''))));
  return cells.map((line) =>
    line
      .map((cell, at) => padded(cell, widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A name and its value per line; what is nested is named by its path. */
export function recordLines(record: object): readonly string[] {
  const fields = flatFields(record);
  const width = Math.max(0, ...fields.map(([name]) => widthOf(name)));
  return fields.map(([name, value]) => `${padded(name, width)}  ${value}`);
}

/** `{ sip: { q850: 17 } }` → `[['sip.q850', '17']]` */
export function flatFields(record: object, prefix = ''): readonly (readonly [string, string])[] {
  return Object.entries(record).flatMap(([name, value]: [string, unknown]) => {
    const nested =
      value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;
    return nested ? flatFields(value, `${prefix}${name}.`) : [[`${prefix}${name}`, text(value)] as const];
  });
}

function text(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(text).join(', ');
  return printable(JSON.stringify(value));
}

/** Names and SIP reasons come from others: whatever a terminal would obey is shown, not sent to it. */
export function printable(value: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return value.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const characters = new Intl.Segmenter();
const widthOf = (cell: string): number => [...characters.segment(cell)].length;
const padded = (cell: string, width: number): string => cell + ' '.repeat(width - widthOf(cell));
