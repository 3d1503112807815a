import type { Command } from 'commander';

import { wholeNumber } from '../arguments';
import { PASSWORD_FIELD } from '../fields';
import type { Field } from '../fields';
import { ResourceCommands } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';

export interface DestinationItem {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly mode: string;
  readonly ring_timeout_seconds: number;
}

/** By id or name. */
export const DESTINATIONS: Resource<DestinationItem> = {
  what: 'transfer_destination',
  path: '/phone/sip/transfer-destinations',
  paged: false,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'TYPE', value: ({ type }) => type },
    { title: 'VALUE', value: ({ value }) => value },
    { title: 'MODE', value: ({ mode }) => mode },
    { title: 'RINGS', value: (row) => `${row.ring_timeout_seconds}s` },
  ],
  nameOf: ({ name }) => name,
};

export const DESTINATION_FIELDS: readonly Field[] = [
  { name: 'name', flags: '--name <name>', help: 'what agents call it' },
  { name: 'type', flags: '--type <type>', help: 'phone or sip' },
  { name: 'value', flags: '--value <value>', help: 'a number in E.164, or a SIP URI' },
  { name: 'mode', flags: '--mode <mode>', help: 'auto (default), refer, bridge or warm' },
  { name: 'ring_timeout_seconds', flags: '--ring-timeout <seconds>', help: 'default 30', parse: wholeNumber },
  { name: 'announce', flags: '--announce <text>', help: 'said to whoever answers' },
  { name: 'username', flags: '--username <name>', help: 'where a SIP target asks for credentials' },
  PASSWORD_FIELD,
];

export function addDestinationCommands(program: Command, session: CliSession): void {
  const group = program.command('destinations').description('where agents may transfer calls to');
  const commands = new ResourceCommands(group, session, DESTINATIONS);
  commands.list('all transfer destinations');
  commands.create('create one', DESTINATION_FIELDS);
  commands.update('PUT', DESTINATION_FIELDS);
  commands.delete('delete one; agents that had it no longer transfer there');
}
