import type { Command } from 'commander';

import { namedValue } from '../arguments';
import type { Field } from '../fields';
import { CREATED_FILTERS } from '../paging';
import { ResourceCommands } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';

interface ContactItem {
  readonly id: string;
  readonly name: string | null;
  readonly phone_number: string | null;
  readonly email: string | null;
  readonly created_at: string;
}

const CONTACTS: Resource<ContactItem> = {
  what: 'contact',
  path: '/contacts',
  paged: true,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'NUMBER', value: (row) => row.phone_number },
    { title: 'EMAIL', value: ({ email }) => email },
    { title: 'CREATED', value: (row) => row.created_at },
  ],
};

const FILTERS: readonly Field[] = [
  ...CREATED_FILTERS,
  { name: 'updated_after', flags: '--updated-after <time>' },
  { name: 'updated_before', flags: '--updated-before <time>' },
];

const FIELDS: readonly Field[] = [
  { name: 'contact.name', flags: '--name <name>' },
  { name: 'contact.phone', flags: '--phone <number>', help: 'in E.164' },
  { name: 'contact.email', flags: '--email <address>' },
  {
    name: 'contact.custom_data',
    flags: '--custom <name=value>',
    help: 'may be repeated; all of them replace all that were there',
    parse: namedValue,
  },
];

export function addContactCommands(program: Command, session: CliSession): void {
  const group = program.command('contacts').description('people who call and are called');
  const commands = new ResourceCommands(group, session, CONTACTS);
  commands.list('contacts, newest first', FILTERS);
  commands.show('one contact, by its id');
  commands.create('create a contact', FIELDS);
  commands.update('PATCH', FIELDS);
  commands.delete('delete a contact');
}
