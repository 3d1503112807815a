import { types } from 'pg';

/** PostgreSQL's number of the type `text[]`, which the driver's types do not name. */
export const TEXT_ARRAY = 1009 as Parameters<typeof types.getTypeParser>[0];

const asPgDoes = types.getTypeParser(TEXT_ARRAY, 'text') as (text: string) => unknown;
const ESCAPED = /\\([^])/g;

/**
 * `{en,"Be brief, please"}` (PostgreSQL, "Array Input and Output Syntax"), a value at a time: the driver's reading, a
 * character at a time, took longer than all else of a list of agents. Arrays of arrays are read by that.
 */
export function parseTextArray(text: string): unknown {
  const end = text.length - 1;
  if (text[0] !== '{' || text[end] !== '}') return asPgDoes(text);
  const values: (string | null)[] = [];
  for (let at = 1; at < end; at += 1) {
    const quoted = text[at] === '"';
    if (text[at] === '{') return asPgDoes(text);
    const stop = quoted ? closingQuote(text, at + 1) : text.indexOf(',', at);
    const after = stop === -1 ? end : stop;
    const value = text.slice(quoted ? at + 1 : at, after);
    if (quoted) values.push(value.includes('\\') ? value.replaceAll(ESCAPED, '$1') : value);
    else values.push(value === 'NULL' ? null : value);
    // Behind a closing quote stands the comma.
    at = quoted ? after + 1 : after;
  }
  return values;
}

function closingQuote(text: string, from: number): number {
  for (let at = from; ; at += 1) {
    at = text.indexOf('"', at);
    if (at === -1) return -1;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}
