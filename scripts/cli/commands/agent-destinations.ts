import type { Command } from 'commander';

import { addBodyFields, addFields, bodyOf, valuesOf } from '../fields';
import type { Field, OptionValues } from '../fields';
import { resourceId } from '../resource';
import type { CliSession } from '../session';
import { DESTINATION_FIELDS, DESTINATIONS } from './destinations';
import type { DestinationItem } from './destinations';

interface AssignedItem extends DestinationItem {
  readonly keypad: string | null;
}

const COLUMNS = [...DESTINATIONS.columns, { title: 'KEY', value: ({ keypad }: AssignedItem) => keypad ?? '' }];
const KEY_FIELD: Field = { name: 'keypad', flags: '--key <digit>', help: 'a caller who presses it gets there' };
const CREATE_FIELDS = [...DESTINATION_FIELDS.map((field) => ({ ...field, name: `create.${field.name}` })), KEY_FIELD];

/** @param pathOf of an agent's destinations, from its id or name */
export function addAgentDestinationCommands(
  group: Command,
  session: CliSession,
  pathOf: (agent: string) => Promise<string>,
): void {
  const { output } = session;
  group
    .command('list <agent>', { isDefault: true })
    .description('where it may transfer to, in the order of assignment')
    .action(async (agent: string) => output.table(await session.api.get<AssignedItem[]>(await pathOf(agent)), COLUMNS));
  addFields(group.command('assign <agent> <destination>').description('let it transfer there'), [KEY_FIELD]).action(
    async (agent: string, word: string, options: OptionValues) => {
      const body = {
        destination_id: await resourceId(session, DESTINATIONS, word),
        ...(await valuesOf(session, options, [KEY_FIELD])),
      };
      output.record(await session.api.request('POST', await pathOf(agent), { body }));
    },
  );
  addBodyFields(
    group.command('create <agent>').description('create a destination and assign it'),
    CREATE_FIELDS,
  ).action(async (agent: string, options: OptionValues) => {
    const body = await bodyOf(session, options, CREATE_FIELDS);
    output.record(await session.api.request('POST', await pathOf(agent), { body }));
  });
  group
    .command('unassign <agent> <destination>')
    .description('it no longer transfers there; the destination stays')
    .action(async (agent: string, word: string) => {
      const destination = encodeURIComponent(await resourceId(session, DESTINATIONS, word));
      output.record(await session.api.request('DELETE', `${await pathOf(agent)}/${destination}`));
    });
}
