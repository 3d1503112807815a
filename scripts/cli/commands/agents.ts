import type { Command } from 'commander';

import { bodyOf, DATA_FLAGS, DATA_HELP, idOf, severalWords } from '../arguments';
import { usageFailure } from '../failure';
import type { CliSession } from '../session';
import type { Column } from '../table';
import { numberId } from './numbers';
import { outboundTrunkId } from './trunks';

interface AgentItem {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly phone_number: string | null;
  readonly language: readonly string[];
}

interface AgentOptions {
  readonly name?: string;
  readonly type?: string;
  readonly language?: readonly string[];
  readonly voice?: string;
  readonly firstMessage?: string;
  readonly instruction?: readonly string[];
  readonly data?: string;
}

interface NoneOption {
  readonly none?: boolean;
}

const NONE = ['--none', 'takes away what it has'] as const;

const COLUMNS: readonly Column<AgentItem>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'NUMBER', value: ({ phone_number: number }) => number },
  { title: 'LANGUAGE', value: ({ language }) => language },
];

/** By id or name. */
export function agentId({ api }: CliSession, word: string): Promise<string> {
  return idOf(
    'agent',
    word,
    () => api.get<AgentItem[]>('/phone'),
    ({ name }) => name,
  );
}

export function addAgentCommands(program: Command, session: CliSession): void {
  const { output } = session;
  const agents = program.command('agents').description('the agents that answer and place calls');
  agents
    .command('list', { isDefault: true })
    .description('all agents')
    .action(async () => output.table(await session.api.get<AgentItem[]>('/phone'), COLUMNS));
  agents
    .command('show <agent>')
    .description('one agent, by id or name')
    .action(async (word: string) => output.record(await session.api.get(`/phone/${await agentId(session, word)}`)));
  withFields(agents.command('create').description('create an agent')).action(async (options: AgentOptions) => {
    const body = await bodyOf(session, options.data, fieldsOf(options));
    output.record(await session.api.request('POST', '/phone', { body }));
  });
  withFields(agents.command('update <agent>').description('change what is given')).action(
    async (word: string, options: AgentOptions) => {
      const body = await bodyOf(session, options.data, fieldsOf(options));
      output.record(await session.api.request('PATCH', `/phone/${await agentId(session, word)}`, { body }));
    },
  );
  agents
    .command('delete <agent>')
    .description('delete an agent; its numbers stay')
    .action(async (word: string) =>
      output.record(await session.api.request('DELETE', `/phone/${await agentId(session, word)}`)),
    );
  addSipConfiguration(agents, session);
}

function addSipConfiguration(agents: Command, session: CliSession): void {
  const { output } = session;
  const path = async (word: string): Promise<string> => `/phone/sip/agents/${await agentId(session, word)}`;
  agents
    .command('config <agent>')
    .description("an agent's numbers and outbound trunk")
    .action(async (word: string) => output.record(await session.api.get(`${await path(word)}/config`)));
  agents
    .command('set-numbers <agent> [numbers...]')
    .description('the numbers it answers: exactly these')
    .option(...NONE)
    .action(async (word: string, numbers: readonly string[], options: NoneOption) => {
      assertEither(numbers.length > 0, options);
      const ids: string[] = [];
      for (const number of numbers) ids.push(await numberId(session, number));
      const body = { phone_number_ids: ids };
      output.record(await session.api.request('PUT', `${await path(word)}/inbound-numbers`, { body }));
    });
  agents
    .command('set-trunk <agent> [trunk]')
    .description('the outbound trunk it dials through')
    .option(...NONE)
    .action(async (word: string, trunk: string | undefined, options: NoneOption) => {
      assertEither(trunk !== undefined, options);
      const body = { trunk_id: trunk === undefined ? null : await outboundTrunkId(session, trunk) };
      output.record(await session.api.request('PUT', `${await path(word)}/outbound-trunk`, { body }));
    });
}

/** Nothing named is more often a word forgotten than a wish to have none. */
function assertEither(named: boolean, { none = false }: NoneOption): void {
  if (named === none) throw usageFailure('name what it is to have, or --none');
}

function withFields(command: Command): Command {
  return command
    .option('--name <name>')
    .option('--type <type>', 'inbound or outbound')
    .option('--language <code>', 'ISO 639-1; may be repeated', severalWords)
    .option('--voice <id>')
    .option('--first-message <text>', 'what it says first')
    .option('--instruction <text>', 'may be repeated', severalWords)
    .option(DATA_FLAGS, DATA_HELP);
}

function fieldsOf(options: AgentOptions): Record<string, unknown> {
  return {
    name: options.name,
    type: options.type,
    language: options.language,
    voice_id: options.voice,
    first_message: options.firstMessage,
    instructions: options.instruction,
  };
}
