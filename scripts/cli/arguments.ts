/** From words of the command line to what the API takes. */
import { readFileSync } from 'node:fs';

import { InvalidArgumentError } from 'commander';

import type { CliSession } from './session';
import { EXIT } from './exit-code';
import { CliFailure, usageFailure } from './failure';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export function wholeNumber(word: string): number {
  if (!/^\d{1,9}$/.test(word)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(word);
}

/** What is sent as a header's value. */
export function headerWord(word: string): string {
  if (!/^[\x21-\x7e]{1,255}$/.test(word)) throw new InvalidArgumentError('It must be printable ASCII without spaces.');
  return word;
}

/** Of an option that may be given several times. */
export const severalWords = (word: string, before: readonly string[] = []): readonly string[] => [...before, word];

/** `name=value`, several times. */
export function namedValue(word: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = word.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value.');
  return { ...before, [word.slice(0, at)]: word.slice(at + 1) };
}

export const DATA_FLAGS = '--data <json>';
export const DATA_HELP = "the request's body as a JSON object, as @file, or - for stdin; options win over it";

/** The body of a request: what `--data` says, and over it the options that were given. */
export async function bodyOf(
  session: CliSession,
  data: string | undefined,
  fields: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...(data === undefined ? {} : await parseData(session, data)), ...Object.fromEntries(given) };
}

async function parseData(session: CliSession, data: string): Promise<object> {
  const text = data.startsWith('@') || data === '-' ? await fileText(session, data.replace(/^@/, '')) : data;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // its message would quote what may be a password
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw usageFailure('--data must be a JSON object');
  }
  return value;
}

/** `-` is stdin. */
export async function fileText(session: CliSession, path: string): Promise<string> {
  if (path === '-') return session.readStdin();
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usageFailure(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/**
 * An id as it is; anything else is the name (number …) of exactly one of what `list` answers.
 *
 * @param what as in the API's codes: `agent`, `outbound_trunk`
 */
export async function idOf<Item extends { readonly id: string }>(
  what: string,
  word: string,
  list: () => AsyncIterable<Item> | Promise<Iterable<Item>>,
  nameOf: (item: Item) => string,
): Promise<string> {
  if (UUID.test(word)) return word;
  const found: string[] = [];
  for await (const item of await list()) if (nameOf(item) === word) found.push(item.id);
  const [id, second] = found;
  const noun = what.replaceAll('_', ' ');
  if (id === undefined) throw new CliFailure(EXIT.refused, `${what}_not_found`, `No ${noun} is called "${word}"`);
  if (second !== undefined) throw usageFailure(`Several are called "${word}": ${found.join(', ')}; give the id`);
  return id;
}
