import type { Command } from 'commander';

import { severalWords, wholeNumber } from '../arguments';
import type { Field } from '../fields';
import { ResourceCommands } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';
import { KEY_SHOWN_ONCE } from './keys';

interface OrganisationItem {
  readonly id: string;
  readonly name: string;
  readonly suspended: boolean;
  readonly created_at: string;
}

/** By id or name. */
const ORGANISATIONS: Resource<OrganisationItem> = {
  what: 'organisation',
  path: '/orgs',
  paged: true,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'SUSPENDED', value: ({ suspended }) => suspended },
    { title: 'CREATED', value: (row) => row.created_at },
  ],
  nameOf: ({ name }) => name,
};

const CREATE_FIELDS: readonly Field[] = [
  { name: 'name', flags: '--name <name>' },
  { name: 'limits.concurrent_calls', flags: '--concurrent-calls <n>', help: 'limit', parse: wholeNumber },
  { name: 'limits.calls_per_second', flags: '--calls-per-second <n>', help: 'limit', parse: wholeNumber },
  { name: 'limits.daily_minutes', flags: '--daily-minutes <n>', help: 'limit', parse: wholeNumber },
  {
    name: 'limits.allowed_countries',
    flags: '--country <code>',
    help: 'that may be called, ISO 3166; may be repeated',
    parse: severalWords,
  },
];

const UPDATE_FIELDS: readonly Field[] = [
  ...CREATE_FIELDS,
  { name: 'suspended', flags: '--suspend', help: 'its keys are refused, its trunks carry no new calls' },
  { name: 'suspended', flags: '--no-suspend', help: 'resume it' },
];

export function addOrganisationCommands(program: Command, session: CliSession): void {
  const group = program.command('orgs').description("the organisations of this server, with the operator's key");
  const commands = new ResourceCommands(group, session, ORGANISATIONS);
  commands.list('organisations, newest first');
  commands.show('one organisation, by id or name');
  commands.create('make one; the answer alone shows its first key', CREATE_FIELDS, KEY_SHOWN_ONCE);
  commands.update('PATCH', UPDATE_FIELDS);
  commands.delete('delete one with its keys, agents, trunks and numbers', { force: 'also while it has calls' });
}
