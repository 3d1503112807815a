/** From words of the command line to what the API takes. */
import { readFileSync } from 'node:fs';

import { InvalidArgumentError } from 'commander';

import { usageFailure } from './failure';
import type { CliSession } from './session';

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

/** `-` is stdin. */
export async function fileText(session: CliSession, path: string): Promise<string> {
  if (path === '-') return session.readStdin();
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usageFailure(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
