import type { Command } from 'commander';

import type { ApiClient } from '../api-client';
import { idOf } from '../arguments';
import { addPageOptions, printPages } from '../paging';
import type { PageOptions } from '../paging';
import type { CliSession } from '../session';
import type { Column } from '../table';

interface NumberItem {
  readonly id: string;
  readonly phone_number: string;
  readonly status: string;
  readonly method: string;
  readonly phone_agent_id: string | null;
}

const PATH = '/phone/numbers';

const COLUMNS: readonly Column<NumberItem>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'NUMBER', value: (row) => row.phone_number },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'METHOD', value: ({ method }) => method },
  { title: 'AGENT', value: (row) => row.phone_agent_id },
];

/** By id or in E.164. */
export function numberId({ api }: CliSession, word: string): Promise<string> {
  return idOf(
    'phone_number',
    word,
    () => allNumbers(api),
    (row) => row.phone_number,
  );
}

async function* allNumbers(api: ApiClient): AsyncGenerator<NumberItem> {
  for await (const { items } of api.pages<NumberItem>(PATH)) yield* items;
}

export function addNumberCommands(program: Command, session: CliSession): void {
  const { output } = session;
  const numbers = program.command('numbers').description("the organisation's phone numbers");
  addPageOptions(numbers.command('list', { isDefault: true }).description('numbers, newest first')).action(
    async (options: PageOptions) => printPages(session, PATH, options, {}, COLUMNS),
  );
  numbers
    .command('show <number>')
    .description('one number, by id or in E.164')
    .action(async (word: string) => output.record(await session.api.get(`${PATH}/${await numberId(session, word)}`)));
  numbers
    .command('create <number>')
    .description('verify a number')
    .option('--method <method>', 'attest: the key vouches for it', 'attest')
    .action(async (word: string, { method }: { readonly method: string }) => {
      output.record(await session.api.request('POST', PATH, { body: { phone_number: word, method } }));
    });
  numbers
    .command('delete <number>')
    .description('give a number up')
    .action(async (word: string) =>
      output.record(await session.api.request('DELETE', `${PATH}/${await numberId(session, word)}`)),
    );
}
