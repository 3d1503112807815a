import type { Command } from 'commander';

import { severalWords } from '../arguments';
import { usageFailure } from '../failure';
import type { Field } from '../fields';
import { ResourceCommands, resourceId } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';
import { addAgentDestinationCommands } from './agent-destinations';
import { NUMBERS } from './numbers';
import { OUTBOUND_TRUNKS } from './outbound-trunks';

interface AgentItem {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly phone_number: string | null;
  readonly language: readonly string[];
}

interface NoneOption {
  readonly none?: boolean;
}

const NONE = ['--none', 'takes away what it has'] as const;

/** By id or name. */
export const AGENTS: Resource<AgentItem> = {
  what: 'agent',
  path: '/phone',
  paged: false,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'TYPE', value: ({ type }) => type },
    { title: 'NUMBER', value: ({ phone_number: number }) => number },
    { title: 'LANGUAGE', value: ({ language }) => language },
  ],
  nameOf: ({ name }) => name,
};

const FIELDS: readonly Field[] = [
  { name: 'name', flags: '--name <name>' },
  { name: 'type', flags: '--type <type>', help: 'inbound or outbound' },
  { name: 'language', flags: '--language <code>', help: 'ISO 639-1; may be repeated', parse: severalWords },
  { name: 'voice_id', flags: '--voice <id>' },
  { name: 'first_message', flags: '--first-message <text>', help: 'what it says first' },
  { name: 'instructions', flags: '--instruction <text>', help: 'may be repeated', parse: severalWords },
];

export function addAgentCommands(program: Command, session: CliSession): void {
  const agents = program.command('agents').description('the agents that answer and place calls');
  const commands = new ResourceCommands(agents, session, AGENTS);
  commands.list('all agents');
  commands.show('one agent, by id or name');
  commands.create('create an agent', FIELDS);
  commands.update('PATCH', FIELDS);
  commands.delete('delete an agent; its numbers stay');
  addSipConfiguration(agents, session);
}

function addSipConfiguration(agents: Command, session: CliSession): void {
  const { output } = session;
  const path = async (word: string): Promise<string> =>
    `/phone/sip/agents/${encodeURIComponent(await resourceId(session, AGENTS, word))}`;
  agents
    .command('config <agent>')
    .description("an agent's numbers, outbound trunk and transfer destinations")
    .action(async (word: string) => output.record(await session.api.get(`${await path(word)}/config`)));
  agents
    .command('set-numbers <agent> [numbers...]')
    .description('the numbers it answers: exactly these')
    .option(...NONE)
    .action(async (word: string, numbers: readonly string[], options: NoneOption) => {
      assertEither(numbers.length > 0, options);
      const ids: string[] = [];
      for (const number of numbers) ids.push(await resourceId(session, NUMBERS, number));
      const body = { phone_number_ids: ids };
      output.record(await session.api.request('PUT', `${await path(word)}/inbound-numbers`, { body }));
    });
  agents
    .command('set-trunk <agent> [trunk]')
    .description('the outbound trunk it dials through')
    .option(...NONE)
    .action(async (word: string, trunk: string | undefined, options: NoneOption) => {
      assertEither(trunk !== undefined, options);
      const body = { trunk_id: trunk === undefined ? null : await resourceId(session, OUTBOUND_TRUNKS, trunk) };
      output.record(await session.api.request('PUT', `${await path(word)}/outbound-trunk`, { body }));
    });
  const destinations = agents.command('destinations').description('where an agent may transfer calls to');
  addAgentDestinationCommands(destinations, session, async (word) => `${await path(word)}/transfer-destinations`);
}

/** Nothing named is more often a word forgotten than a wish to have none. */
function assertEither(named: boolean, { none = false }: NoneOption): void {
  if (named === none) throw usageFailure('name what it is to have, or --none');
}
