import type { Command } from 'commander';

import { ResourceCommands, resourceId, resourcePath } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';
import { OUTBOUND_TRUNKS } from './outbound-trunks';

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
    .command('add <number>')
    .alias('create')
    .description('verify a number: by a code call, a call to it, or the operator; again where it failed or expired')
    .option('--method <method>', 'outbound_code, inbound_call or attest; default: what the server takes')
    .option('--trunk <trunk>', 'outbound trunk that the code is called through, by id or name')
    .action(async (word: string, { method, trunk }: { readonly method?: string; readonly trunk?: string }) => {
      const trunkId = trunk === undefined ? undefined : await resourceId(session, OUTBOUND_TRUNKS, trunk);
      const body = { phone_number: word, method, trunk_id: trunkId };
      session.output.record(await session.api.request('POST', NUMBERS.path, { body }));
    });
  numbers
    .command('confirm <number> <code>')
    .description('confirm a number with the code that its call spoke')
    .action(async (word: string, code: string) => {
      const path = `${await resourcePath(session, NUMBERS, word)}/confirm`;
      session.output.record(await session.api.request('POST', path, { body: { code } }));
    });
  commands.delete('give a number up');
}
