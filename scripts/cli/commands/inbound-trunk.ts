import type { Command } from 'commander';

import { namedValue, severalWords } from '../arguments';
import { RefusedByApi } from '../failure';
import { addBodyFields, bodyOf } from '../fields';
import type { Field, OptionValues } from '../fields';
import { printSteps } from '../routing-steps';
import type { RoutedBy } from '../routing-steps';
import type { CliSession } from '../session';
import { FORCE_HELP, LIMIT_FIELDS, MEDIA_TIMEOUT_FIELD } from './outbound-trunks';

interface InboundTrunkItem {
  readonly id: string;
  readonly sip_endpoint: string;
  readonly auth_password?: string;
  readonly created_at: string;
}

interface PasswordOption extends OptionValues {
  readonly showPassword?: boolean;
}

export const INBOUND_TRUNK_PATH = '/phone/sip/inbound-trunk';
const SHOW_PASSWORD = ['--show-password', 'with the password, which is left out otherwise'] as const;

const SETTING_FIELDS: readonly Field[] = [
  { name: 'krisp_enabled', flags: '--krisp', help: 'with noise suppression' },
  { name: 'krisp_enabled', flags: '--no-krisp', help: 'without' },
  MEDIA_TIMEOUT_FIELD,
];

const PATCH_FIELDS: readonly Field[] = [
  ...SETTING_FIELDS,
  { name: 'auth', flags: '--auth <way>', help: 'digest or ip' },
  {
    name: 'ip_allowlist',
    flags: '--allow <network>',
    help: 'that calls come from; may be repeated',
    parse: severalWords,
  },
  { name: 'media_source', flags: '--media-source <source>', help: 'same_host or any' },
  ...LIMIT_FIELDS,
];

const CREATE_FIELDS: readonly Field[] = [
  {
    name: 'phone_numbers',
    flags: '--number <number>',
    help: 'may be repeated; default: all verified numbers',
    parse: severalWords,
  },
  ...SETTING_FIELDS,
];

export async function findInboundTrunk({ api }: CliSession): Promise<InboundTrunkItem | null> {
  try {
    return withoutPassword(await api.get<InboundTrunkItem>(INBOUND_TRUNK_PATH), {});
  } catch (error) {
    if (error instanceof RefusedByApi && error.code === 'inbound_trunk_not_found') return null;
    throw error;
  }
}

/** The API answers with the password each time; a screen or a log gets it only when it was asked for. */
function withoutPassword(trunk: InboundTrunkItem, { showPassword }: PasswordOption): InboundTrunkItem {
  if (showPassword === true) return trunk;
  const { auth_password: _, ...shown } = trunk;
  return shown;
}

export function addInboundTrunkCommands(group: Command, session: CliSession): void {
  const { output } = session;
  const print = async (asked: Promise<InboundTrunkItem>, options: PasswordOption): Promise<void> =>
    output.record(withoutPassword(await asked, options));
  group
    .command('show', { isDefault: true })
    .description('its SIP endpoint, user name and numbers')
    .option(...SHOW_PASSWORD)
    .action((options: PasswordOption) => print(session.api.get(INBOUND_TRUNK_PATH), options));
  addBodyFields(group.command('create').description('create it'), CREATE_FIELDS)
    .option(...SHOW_PASSWORD)
    .action(async (options: PasswordOption) => {
      const body = await bodyOf(session, options, CREATE_FIELDS);
      await print(session.api.request('POST', INBOUND_TRUNK_PATH, { body }), options);
      if (options.showPassword !== true) output.note('its password: trunkline trunks inbound --show-password');
    });
  addBodyFields(group.command('update').description('change what is given; the rest stays'), PATCH_FIELDS)
    .option(...SHOW_PASSWORD)
    .action(async (options: PasswordOption) => {
      const body = await bodyOf(session, options, PATCH_FIELDS);
      await print(session.api.request('PATCH', INBOUND_TRUNK_PATH, { body }), options);
    });
  const numbers = group.command('numbers').description('the numbers that it lists');
  numbers
    .command('add <numbers...>')
    .description('list these too')
    .option(...SHOW_PASSWORD)
    .action((numbers: readonly string[], options: PasswordOption) => {
      const body = { phone_numbers: numbers };
      return print(session.api.request('POST', `${INBOUND_TRUNK_PATH}/phone-numbers`, { body }), options);
    });
  numbers
    .command('remove <number>')
    .description('list it no longer; it stays verified')
    .option(...SHOW_PASSWORD)
    .action((number: string, options: PasswordOption) =>
      print(
        session.api.request('DELETE', `${INBOUND_TRUNK_PATH}/phone-numbers/${encodeURIComponent(number)}`),
        options,
      ),
    );
  group
    .command('sync')
    .description('list exactly the verified numbers')
    .option(...SHOW_PASSWORD)
    .action((options: PasswordOption) => print(session.api.request('POST', `${INBOUND_TRUNK_PATH}/sync`), options));
  addRoutePreview(group, session);
  group
    .command('delete')
    .description('delete it; its numbers stay verified')
    .option('--force', FORCE_HELP)
    .action(async ({ force }: { readonly force?: boolean }) => {
      const query = { force: force === true ? 'true' : undefined };
      output.record(await session.api.request('DELETE', INBOUND_TRUNK_PATH, { query }));
    });
}

function addRoutePreview(group: Command, session: CliSession): void {
  const { output } = session;
  group
    .command('route-preview <number>')
    .description('who would answer a call to it, and why; nothing is called')
    .option('--header <name=value>', 'of the INVITE; may be repeated', namedValue)
    .action(async (number: string, { header }: { readonly header?: Readonly<Record<string, string>> }) => {
      const body = { dialed_number: number, headers: header };
      const preview = await session.api.request<RoutedBy>('POST', `${INBOUND_TRUNK_PATH}/route-preview`, { body });
      if (output.json) return output.value(preview);
      const { steps, ...decision } = preview;
      output.record(decision);
      printSteps(output, steps);
    });
}
