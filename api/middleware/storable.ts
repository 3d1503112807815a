import { invalid } from '../errors';

/** Deeper than any client means it, far from where a recursion over it ends. */
const MAX_DEPTH = 64;
/** PostgreSQL's `text` and `jsonb` take neither; in Unicode mode the halves of a pair are one character. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** 400 for what JSON can say and no table can hold: U+0000, lone surrogates, endless nesting. */
export function assertStorable(value: unknown, path: readonly string[] = []): void {
  if (typeof value === 'string') assertText(value, path);
  if (value === null || typeof value !== 'object') return;
  if (path.length >= MAX_DEPTH) refuse(path, `must not be nested more than ${MAX_DEPTH} levels deep`);
  for (const [key, inner] of Object.entries(value)) {
    assertText(key, path);
    assertStorable(inner, [...path, key]);
  }
}

function assertText(text: string, path: readonly string[]): void {
  if (UNSTORABLE.test(text)) refuse(path, 'must not contain U+0000 or lone surrogates');
}

function refuse(path: readonly string[], message: string): never {
  throw invalid([{ path: path.join('.'), message }]);
}
