/** CSV as spreadsheets may open it (RFC 4180): a cell that one would take for a formula is a text. */

type CsvValue = string | number | boolean | null;

/** What begins a formula, and the white space that spreadsheets pass over before one. */
const FORMULA = /^[=+\-@\t\r]/;
/**
 * The same where a spreadsheet that separates by semicolon or tab begins another cell, quotation marks or not: those within a
 * line mean nothing to it. A number there is none for sure, as the rest of the line may follow it.
 */
const FORMULA_WITHIN = /(?<=[;\t\r\n])(?="*[=+\-@\t\r])/g;
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
  const begins = FORMULA.test(text) && !HARMLESS.test(text) ? `'${text}` : text;
  const safe = begins.replaceAll(FORMULA_WITHIN, "'");
  return SPECIAL.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
