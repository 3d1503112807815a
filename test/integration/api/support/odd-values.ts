/** What clients send by mistake or to see what happens: beside a schema, or beside JSON itself. */
import fc from 'fast-check';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Stands for a number that JSON can write and no double can hold. */
const BEYOND_DOUBLE = '\u{f0000}beyond-double';

const nested = (depth: number): Json => (depth === 0 ? [] : [nested(depth - 1)]);

/** Without a space in them. */
const words = (text: string): readonly string[] => text.split(' ');

const ODD_WORDS = words('null true 0 -1 NaN %00 ../.. {{name}} ${x} __proto__ sip:@ + +1 911 https:// //a a@b@c İ ß');
const ODD_NUMBERS = words('+15551234567x +999999999999999 1 100 101 1e2 0x10 50.0 Infinity');
const ODD_TIMES = words('2026-02-30T00:00:00Z 2026-01-01T24:00:00Z 0000-01-01T00:00:00Z');
const ODD_CHARACTERS = words('\t \0 a\0b \ud800 \udc00\ud800 \u202e \ufeff \u2028 \u{1f468}\u200d\u{1f469} \r\nX:y');

const oddTexts = fc.oneof(
  fc.constantFrom('', ' ', ' 5 ', "'; --", ...ODD_WORDS, ...ODD_NUMBERS, ...ODD_TIMES, ...ODD_CHARACTERS),
  fc.constantFrom(256, 1001, 5001, 20_001).map((length) => 'x'.repeat(length)),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
);

const ODD_FIGURES = [0, -1, 1.5, -0.1, 2 ** 31, 2 ** 53 + 2, -(2 ** 63), 1e21, 1e308, 5e-324];

export const oddValues: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, BEYOND_DOUBLE, ...ODD_FIGURES),
  fc.constantFrom<Json>([], {}, [[]], [null], [{}], { '': '' }, nested(60), nested(200)),
  oddTexts,
  fc.array(fc.constantFrom<Json>(null, 1, 'x', {}), { minLength: 1001, maxLength: 1001 }),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
);

/** A body that was changed in one to three places: something left out, added, or put in another's place. */
export function changed(body: Json): fc.Arbitrary<Json> {
  return fc.oneof(
    changedOnce(body),
    changedOnce(body).chain(changedOnce),
    changedOnce(body).chain(changedOnce).chain(changedOnce),
  );
}

type Place = readonly string[];

function changedOnce(value: Json): fc.Arbitrary<Json> {
  return fc
    .record({
      place: fc.constantFrom(...placesOf(value)),
      how: fc.constantFrom('alike', 'alike', 'appended', 'replaced', 'dropped', 'added'),
      odd: oddValues,
      text: oddTexts,
      figure: fc.constantFrom(...ODD_FIGURES),
    })
    .map(({ place, how, odd, text, figure }) => {
      const edit = (found: Json): Json | undefined => {
        if (how === 'dropped') return undefined;
        // What keeps its type gets past the first look.
        if (typeof found === 'string' && how !== 'replaced') return how === 'appended' ? found + text : text;
        if (typeof found === 'number' && how !== 'replaced') return figure;
        if (found === null || typeof found !== 'object' || how === 'replaced') return odd;
        if (Array.isArray(found)) return [...(found as Json[]), how === 'appended' ? text : odd];
        return { ...(found as Record<string, Json>), [text]: odd };
      };
      return edited(value, place, edit) ?? odd;
    });
}

function placesOf(value: Json, place: Place = []): readonly Place[] {
  const inner = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  return [place, ...inner.flatMap(([key, child]) => placesOf(child as Json, [...place, key]))];
}

/** @param edit gives undefined for what is to be left out */
function edited(value: Json, [key, ...rest]: Place, edit: (found: Json) => Json | undefined): Json | undefined {
  if (key === undefined || value === null || typeof value !== 'object') return edit(value);
  const entries = Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
    const kept = name === key ? edited(inner as Json, rest, edit) : (inner as Json);
    return kept === undefined ? [] : [[name, kept]];
  });
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

/** As it is sent; with some of what only a text can say. */
export const jsonText = (value: Json): string =>
  JSON.stringify(value).replaceAll(JSON.stringify(BEYOND_DOUBLE), '1e999');

/** Texts that are no JSON, or JSON of a kind that no serializer writes. */
export function brokenTexts(body: Json): fc.Arbitrary<string> {
  const text = jsonText(body);
  const twice = text.replace(/^\{("(?:[^"\\]|\\.)*"):/, '{$1:null,$1:');
  const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
  return fc.oneof(
    fc.nat(text.length).map((end) => text.slice(0, end)),
    fc.constantFrom('', ' ', ...words(`null [] "" 0 { } {}{} {"a":} {'a':1} NaN \ufeff{} {"a":1,}`)),
    fc.constantFrom(twice, `\ufeff${text}`, `${text}\0`, `${text}${text}`, ` \n\t${text}\r\n`, `// a\n${text}`),
    fc.constantFrom('{"__proto__":{"name":"x"}}', '{"constructor":{"prototype":{"a":1}}}', '{"hasOwnProperty":1}'),
    fc.constantFrom(deep, `{"name":"${'x'.repeat(300_000)}"}`),
  );
}

const QUERY_NAMES = words('limit cursor status phone_number created_after force x limit[] __proto__');

export const oddQueries: fc.Arbitrary<readonly (readonly [string, string])[]> = fc.array(
  fc.tuple(fc.constantFrom('', ...QUERY_NAMES), oddTexts),
  { minLength: 1, maxLength: 4 },
);

/** Percent-encoded as they stand: some decode to no text at all. */
export const oddSegments = fc.constantFrom(
  ...words('%00 %ff %E0%A4%A %zz % %2F %20 %F0%9F%93%9E null 0 -1 {id} :id * +1 %2B15551234567'),
  ...words('00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff'),
  'x'.repeat(3000),
);

const ODD_HEADERS: Readonly<Record<string, readonly string[]>> = {
  'Content-Type': [
    'text/plain',
    'application/json; charset=utf-16',
    'application/json;;;=',
    'application/json, application/json',
    'multipart/form-data',
    '',
    '\xff',
  ],
  'Content-Encoding': ['gzip', 'br', 'deflate', 'none such', 'identity, gzip'],
  'Idempotency-Key': ['', 'x'.repeat(256), '\xff\t', 'a, a'],
  'X-Request-Id': ['x y', 'x'.repeat(1000)],
  Accept: ['text/html;q=x, */'],
  'Accept-Encoding': ['gzip;q=0, *;q=0'],
  Authorization: ['Bearer', 'Bearer tl_live_\xff', `Basic ${'x'.repeat(300)}`],
  Cookie: ['=;=;', 'x'.repeat(20_000)],
  Range: ['bytes=9999-0'],
  'If-None-Match': ['*'],
  'If-Modified-Since': ['Mon, 99 Jan'],
  'X-Forwarded-For': ["'; DROP, ::"],
  'X-HTTP-Method-Override': ['DELETE'],
  Origin: ['null'],
};

export const oddHeaders: fc.Arbitrary<Readonly<Record<string, string>>> = fc.constantFrom(
  ...Object.entries(ODD_HEADERS).flatMap(([name, values]) => values.map((value) => ({ [name]: value }))),
);
