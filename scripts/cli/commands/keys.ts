import type { Command } from 'commander';

import { severalWords } from '../arguments';
import type { Field } from '../fields';
import { ResourceCommands } from '../resource';
import type { Resource } from '../resource';
import type { CliSession } from '../session';

interface KeyItem {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly last4: string;
  readonly scopes: string | readonly string[];
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

export const KEY_SHOWN_ONCE = 'the key is shown this once: keep it where nobody else reads';

/** By id alone: revoked keys keep their names. */
const KEYS: Resource<KeyItem> = {
  what: 'api_key',
  path: '/api-keys',
  paged: true,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'KEY', value: ({ prefix, last4 }) => `${prefix}…${last4}` },
    { title: 'SCOPES', value: ({ scopes }) => scopes },
    { title: 'EXPIRES', value: (row) => row.expires_at },
    { title: 'LAST USED', value: (row) => row.last_used_at },
    { title: 'REVOKED', value: (row) => row.revoked_at },
  ],
};

const FIELDS: readonly Field[] = [
  { name: 'name', flags: '--name <name>' },
  {
    name: 'scopes',
    flags: '--scope <scope>',
    help: 'such as phone:write, may be repeated; or full',
    parse: severalWords,
    sent: (_, scopes: readonly string[]) => (scopes.join() === 'full' ? 'full' : scopes),
  },
  { name: 'expires_at', flags: '--expires <time>', help: 'ISO 8601; default: never' },
];

export function addKeyCommands(program: Command, session: CliSession): void {
  const group = program.command('keys').description("the organisation's API keys");
  const commands = new ResourceCommands(group, session, KEYS);
  commands.list('keys, newest first, with those that were revoked');
  commands.create('make a key; the answer alone shows it', FIELDS, KEY_SHOWN_ONCE);
  commands.delete('the next request with it is refused', { verb: 'revoke' });
}
