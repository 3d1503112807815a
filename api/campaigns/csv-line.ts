/** CSV as spreadsheets may open it (RFC 4180): a cell that one would take for a formula is a text. */

type CsvValue = string | number | boolean | null;

/** What begins a formula, and the white space that spreadsheets pass over before one. */
const FORMULA = /^[=+\-@\t\r]/;
/** Both begin like a formula and are none: they are taken for what they are. */
const HARMLESS = /^[+-]\d+(?:\.\d+)?$/;
const SPECIAL = /[",\r\n]/;

/** With its line end. */
export function csvLine(cells: readonly CsvValue[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: CsvValue): string {
  if (value === null) return '';
  const text = String(value);
  const safe = FORMULA.test(text) && !HARMLESS.test(text) ? `'${text}` : text;
  return SPECIAL.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
