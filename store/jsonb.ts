/** Text for PostgreSQL: `text` and `jsonb` refuse U+0000 and lone surrogates, which a peer or a caller can send. */
/** In Unicode mode the two halves of a pair are one character: this finds lone surrogates only. */
const LONE_SURROGATE = /\p{Surrogate}/gu;
const REPLACEMENT = '\uFFFD';

/** Replaces what PostgreSQL cannot store by U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', REPLACEMENT).replace(LONE_SURROGATE, REPLACEMENT);
}

/** JSON of a value as a `jsonb` parameter; `undefined` becomes `null`. */
export function jsonbParameter(value: unknown): string {
  return JSON.stringify(storableJson(value) ?? null);
}

function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return value.toJSON();
  if (Array.isArray(value)) return value.map((item) => storableJson(item) ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storableJson(item)]));
}
