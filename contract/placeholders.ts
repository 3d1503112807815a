/** `{{name}}` in what agents say and are told: which variables a text uses, and what becomes of them. */

/** Letters, digits, `_`, `.` and `-`; spaces beside the name say nothing. */
const PLACEHOLDER = /\{\{\s*([A-Za-z0-9_.-]{1,64})\s*\}\}/g;

/** Each once, in the order of their first use. */
export function variablesOf(texts: readonly string[]): string[] {
  const names = texts.flatMap((text) => [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name));
  return [...new Set(names)];
}

/** A name without a value is left out rather than spoken with its braces. */
export function fillVariables(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? '') : ''));
}
