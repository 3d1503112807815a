/** `{{name}}` in what agents say and are told: which variables a text uses, and what becomes of them. */

/** Whatever stands between two pairs of braces; of nested ones the innermost. */
const PLACEHOLDER = /\{\{(?!\{)((?:(?!\{\{|\}\}).)*)\}\}/gs;
/** Letters and digits of any script. */
const NAME = /^[\p{L}\p{M}\p{N}_.-]{1,64}$/u;

/** The name that `{{First Name}}` and a column "First Name" have in common: `First_Name`. */
export function variableNameOf(written: string): string {
  return written.trim().replaceAll(/\s+/g, '_').normalize('NFC');
}

/** Of the form that `variableNameOf` answers. */
export function isVariableName(name: string): boolean {
  return NAME.test(name);
}

/** Each once, in the order of their first use. */
export function variablesOf(texts: readonly string[]): string[] {
  const names = placeholdersIn(texts).map(({ name }) => name);
  return [...new Set(names.filter(isVariableName))];
}

/** Those that name no variable, such as `{{#if plan}}`, as they are written; each once. */
export function brokenPlaceholdersOf(texts: readonly string[]): string[] {
  const broken = placeholdersIn(texts).filter(({ name }) => !isVariableName(name));
  return [...new Set(broken.map(({ written }) => written))];
}

/** A name without a value, and what is no name, is left out rather than spoken with its braces. */
export function fillVariables(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(PLACEHOLDER, (_, inner: string) => valueOf(inner, values));
}

/** Of what an agent is told: braces around what is no name are the text's own, such as those of an example. */
export function fillNames(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(PLACEHOLDER, (written, inner: string) =>
    isVariableName(variableNameOf(inner)) ? valueOf(inner, values) : written,
  );
}

function valueOf(inner: string, values: Readonly<Record<string, string>>): string {
  const name = variableNameOf(inner);
  return Object.hasOwn(values, name) ? (values[name] ?? '') : '';
}

function placeholdersIn(texts: readonly string[]): { readonly written: string; readonly name: string }[] {
  const found = texts.flatMap((text) => [...text.matchAll(PLACEHOLDER)]);
  return found.map(([written, inner = '']) => ({ written, name: variableNameOf(inner) }));
}
