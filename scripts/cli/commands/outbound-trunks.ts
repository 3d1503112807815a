import type { Command } from 'commander';

import { AUDIO_CODECS } from '../../../contract/audio-codecs';
import { severalWords, wholeNumber } from '../arguments';
import { EXIT } from '../exit-code';
import { CliFailure } from '../failure';
import { PASSWORD_FIELD } from '../fields';
import type { Field } from '../fields';
import { ResourceCommands, resourcePath } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';

export interface OutboundTrunkItem {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
}

/** Each is asked for by itself. */
const MAX_LOOKED_AT = 20;

/** The state of each trunk's health, of the first ones of many; none of one that is gone by then. */
export async function trunkStates(
  { api }: CliSession,
  trunks: readonly OutboundTrunkItem[],
): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>();
  for (const { id } of trunks.slice(0, MAX_LOOKED_AT)) {
    try {
      const trunk = await api.get<{ readonly health: { readonly state: string } }>(`${OUTBOUND_TRUNKS.path}/${id}`);
      states.set(id, trunk.health.state);
    } catch (error) {
      if (!(error instanceof CliFailure) || error.exitCode !== EXIT.refused) throw error;
    }
  }
  return states;
}

export const FORCE_HELP = 'also while it carries calls: they are ended';
export const MEDIA_TIMEOUT_FIELD: Field = {
  name: 'media_timeout_seconds',
  flags: '--media-timeout <seconds>',
  help: 'silence of the peer that ends a call',
  parse: wholeNumber,
};

export const LIMIT_FIELDS: readonly Field[] = [
  {
    name: 'max_concurrent_calls',
    flags: '--max-calls <count>',
    help: 'calls at the same time, on each media node',
    parse: wholeNumber,
  },
  {
    name: 'codecs',
    flags: '--codec <name>',
    help: `${AUDIO_CODECS.join(' or ')}; may be repeated, best first`,
    parse: severalWords,
  },
  { name: 'dtmf_mode', flags: '--dtmf-mode <mode>', help: 'how keys are pressed: auto, rfc4733, info' },
];

/** By id or name. */
export const OUTBOUND_TRUNKS: Resource<OutboundTrunkItem> = {
  what: 'outbound_trunk',
  path: '/phone/sip/outbound-trunks',
  paged: false,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'CREATED', value: (row) => row.created_at },
  ],
  nameOf: ({ name }) => name,
};

const FIELDS: readonly Field[] = [
  { name: 'name', flags: '--name <name>' },
  { name: 'host', flags: '--host <host>', help: 'host name or address of the carrier' },
  { name: 'port', flags: '--port <port>', help: 'default 5060', parse: wholeNumber },
  { name: 'transport', flags: '--transport <transport>', help: 'udp (default) or tcp' },
  { name: 'username', flags: '--username <name>' },
  PASSWORD_FIELD,
  { name: 'caller_number', flags: '--caller-number <number>', help: 'the number that calls come from' },
  MEDIA_TIMEOUT_FIELD,
  ...LIMIT_FIELDS,
  {
    name: 'number_format',
    flags: '--number-format <format>',
    help: 'e164 (default), e164_no_plus, national or prefix',
  },
  { name: 'number_prefix', flags: '--number-prefix <prefix>', help: 'in front of numbers, with the format prefix' },
  { name: 'from_host', flags: '--from-host <host>', help: 'host of From' },
  {
    name: 'caller_numbers',
    flags: '--also-from <number>',
    help: 'further caller number; may be repeated',
    parse: severalWords,
  },
  { name: 'register', flags: '--register', help: 'register with the carrier, which may then call' },
  { name: 'register', flags: '--no-register', help: 'the default' },
  { name: 'options_ping', flags: '--options-ping', help: 'ask the carrier whether it is there: the default' },
  { name: 'options_ping', flags: '--no-options-ping' },
];

export function addOutboundTrunkCommands(group: Command, session: CliSession): void {
  const commands = new ResourceCommands(group, session, OUTBOUND_TRUNKS);
  commands.list('all outbound trunks');
  commands.show('one trunk, by id or name');
  commands.create('create one', FIELDS);
  commands.update('PATCH', FIELDS);
  group
    .command('rename <trunk> <name>')
    .description('call it something else')
    .action(async (word: string, name: string) => {
      const path = await resourcePath(session, OUTBOUND_TRUNKS, word);
      session.output.record(await session.api.request('PUT', path, { body: { name } }));
    });
  commands.delete('delete one; agents that dialled through it have none afterwards', { force: FORCE_HELP });
}
