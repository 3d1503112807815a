import type { Command } from 'commander';

import { ResourceCommands } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';

interface NumberItem {
  readonly id: string;
  readonly phone_number: string;
  readonly status: string;
  readonly method: string;
  readonly phone_agent_id: string | null;
}

/** By id or in E.164. */
export const NUMBERS: Resource<NumberItem> = {
  what: 'phone_number',
  path: '/phone/numbers',
  paged: true,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NUMBER', value: (row) => row.phone_number },
    { title: 'STATUS', value: ({ status }) => status },
    { title: 'METHOD', value: ({ method }) => method },
    { title: 'AGENT', value: (row) => row.phone_agent_id },
  ],
  nameOf: (row) => row.phone_number,
};

export function addNumberCommands(program: Command, session: CliSession): void {
  const numbers = program.command('numbers').description("the organisation's phone numbers");
  const commands = new ResourceCommands(numbers, session, NUMBERS);
  commands.list('numbers, newest first');
  commands.show('one number, by id or in E.164');
  numbers
    .command('create <number>')
    .description('verify a number')
    .option('--method <method>', 'attest: the key vouches for it', 'attest')
    .action(async (word: string, { method }: { readonly method: string }) => {
      const body = { phone_number: word, method };
      session.output.record(await session.api.request('POST', NUMBERS.path, { body }));
    });
  commands.delete('give a number up');
}
