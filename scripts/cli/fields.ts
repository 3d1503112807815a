/** The options of a command that are fields of a request: one table says both. */
import { Option } from 'commander';
import type { Command } from 'commander';

import { fileText } from './arguments';
import { usageFailure } from './failure';
import type { CliSession } from './session';

export interface Field {
  /** In the request; `limits.daily_minutes` is nested. */
  readonly name: string;
  readonly flags: string;
  readonly help?: string;
  readonly parse?: (word: string, before: never) => unknown;
  /** What is sent, where that is not the option's value. */
  readonly sent?: (session: CliSession, value: never) => unknown;
}

/** What commander hands to an action. */
export type OptionValues = Readonly<Record<string, unknown>>;

/** Nobody's list of processes and no shell's history holds what is read from a file. */
export const PASSWORD_FIELD: Field = {
  name: 'password',
  flags: '--password-file <file>',
  help: 'its first line is the password; - for stdin',
  sent: async (session, file: string) => (await fileText(session, file)).split(/\r?\n/, 1)[0],
};

export function addFields(command: Command, fields: readonly Field[]): Command {
  for (const { flags, help, parse } of fields) {
    const option = new Option(flags, help);
    if (parse !== undefined) option.argParser(parse as (word: string, before: unknown) => unknown);
    command.addOption(option);
  }
  return command;
}

/** Of a command with a body: `--data` takes every field that has no option of its own. */
export function addBodyFields(command: Command, fields: readonly Field[]): Command {
  const help = "the request's body as a JSON object, as @file, or - for stdin; options win over it";
  return addFields(command, fields).option('--data <json>', help);
}

/** The fields whose options were given, by their names in the request. */
export async function valuesOf(
  session: CliSession,
  options: OptionValues,
  fields: readonly Field[],
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const { name, flags, sent } of fields) {
    const given = options[new Option(flags).attributeName()];
    if (given !== undefined) values[name] = sent === undefined ? given : await sent(session, given as never);
  }
  return values;
}

/** The body of a request: what `--data` says, and over it the options that were given. */
export async function bodyOf(
  session: CliSession,
  options: OptionValues,
  fields: readonly Field[],
): Promise<Record<string, unknown>> {
  const { data } = options as { data?: string };
  const body = data === undefined ? {} : await parseData(session, data);
  for (const [path, value] of Object.entries(await valuesOf(session, options, fields))) put(body, path, value);
  return body;
}

async function parseData(session: CliSession, data: string): Promise<Record<string, unknown>> {
  const text = data.startsWith('@') || data === '-' ? await fileText(session, data.replace(/^@/, '')) : data;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // its message would quote what may be a password
  }
  if (!isRecord(value)) throw usageFailure('--data must be a JSON object');
  return value;
}

function put(body: Record<string, unknown>, path: string, value: unknown): void {
  const [name = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    body[name] = value;
    return;
  }
  const inner = isRecord(body[name]) ? body[name] : {};
  put(inner, rest.join('.'), value);
  body[name] = inner;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
