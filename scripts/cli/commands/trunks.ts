import type { Command } from 'commander';

import { bodyOf, DATA_FLAGS, DATA_HELP, fileText, idOf, severalWords, wholeNumber } from '../arguments';
import { RefusedByApi } from '../failure';
import type { CliSession } from '../session';
import type { Column } from '../table';

interface OutboundTrunkItem {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
}

interface InboundTrunkItem {
  readonly id: string;
  readonly sip_endpoint: string;
  readonly auth_password?: string;
  readonly created_at: string;
}

interface OutboundTrunkOptions {
  readonly name?: string;
  readonly host?: string;
  readonly port?: number;
  readonly transport?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly callerNumber?: string;
  readonly mediaTimeout?: number;
  readonly data?: string;
}

interface InboundTrunkOptions {
  readonly number?: readonly string[];
  readonly krisp: boolean;
  readonly mediaTimeout?: number;
  readonly data?: string;
}

interface PasswordOption {
  readonly showPassword?: boolean;
}

const INBOUND = '/phone/sip/inbound-trunk';
const OUTBOUND = '/phone/sip/outbound-trunks';
const FORCE = ['--force', 'also while it carries calls: they are ended'] as const;
const SHOW_PASSWORD = ['--show-password', 'with the password, which is left out otherwise'] as const;
const MEDIA_TIMEOUT = ['--media-timeout <seconds>', 'silence of the peer that ends a call', wholeNumber] as const;

const OUTBOUND_COLUMNS: readonly Column<OutboundTrunkItem>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'NAME', value: ({ name }) => name },
  { title: 'CREATED', value: (row) => row.created_at },
];

const ALL_COLUMNS: readonly Column<OutboundTrunkItem & { readonly kind: string }>[] = [
  { title: 'KIND', value: ({ kind }) => kind },
  ...OUTBOUND_COLUMNS,
];

/** By id or name. */
export function outboundTrunkId({ api }: CliSession, word: string): Promise<string> {
  return idOf(
    'outbound_trunk',
    word,
    () => api.get<OutboundTrunkItem[]>(OUTBOUND),
    ({ name }) => name,
  );
}

export function addTrunkCommands(program: Command, session: CliSession): void {
  const trunks = program.command('trunks').description('where calls come from, and the carriers they go to');
  trunks
    .command('list', { isDefault: true })
    .description('the inbound trunk and all outbound ones')
    .action(async () => {
      const inbound = await findInbound(session);
      const outbound = await session.api.get<OutboundTrunkItem[]>(OUTBOUND);
      if (session.output.json) return session.output.value({ inbound, outbound });
      const first = inbound === null ? [] : [{ ...inbound, kind: 'inbound', name: inbound.sip_endpoint }];
      const rest = outbound.map((trunk) => ({ ...trunk, kind: 'outbound' }));
      session.output.table([...first, ...rest], ALL_COLUMNS);
    });
  addInbound(trunks.command('inbound').description('the trunk that a phone system or carrier calls'), session);
  addOutbound(trunks.command('outbound').description('the trunks that agents dial through'), session);
}

async function findInbound(session: CliSession): Promise<InboundTrunkItem | null> {
  try {
    return withoutPassword(await session.api.get<InboundTrunkItem>(INBOUND), {});
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

function addInbound(inbound: Command, session: CliSession): void {
  const { output } = session;
  inbound
    .command('show', { isDefault: true })
    .description('its SIP endpoint, user name and numbers')
    .option(...SHOW_PASSWORD)
    .action(async (options: PasswordOption) =>
      output.record(withoutPassword(await session.api.get<InboundTrunkItem>(INBOUND), options)),
    );
  inbound
    .command('create')
    .description('create it')
    .option('--number <number>', 'may be repeated; default: all verified numbers', severalWords)
    .option('--no-krisp', 'without noise suppression')
    .option(...MEDIA_TIMEOUT)
    .option(DATA_FLAGS, DATA_HELP)
    .option(...SHOW_PASSWORD)
    .action(async (options: InboundTrunkOptions & PasswordOption) => {
      const body = await bodyOf(session, options.data, {
        phone_numbers: options.number,
        krisp_enabled: options.krisp ? undefined : false,
        media_timeout_seconds: options.mediaTimeout,
      });
      const trunk = await session.api.request<InboundTrunkItem>('POST', INBOUND, { body });
      output.record(withoutPassword(trunk, options));
      if (options.showPassword !== true) output.note('its password: trunkline trunks inbound --show-password');
    });
  inbound
    .command('delete')
    .description('delete it; its numbers stay verified')
    .option(...FORCE)
    .action(async (options: { readonly force?: boolean }) =>
      output.record(await session.api.request('DELETE', INBOUND, { query: forceQueryOf(options) })),
    );
}

function addOutbound(outbound: Command, session: CliSession): void {
  const { output } = session;
  outbound
    .command('list', { isDefault: true })
    .description('all outbound trunks')
    .action(async () => output.table(await session.api.get<OutboundTrunkItem[]>(OUTBOUND), OUTBOUND_COLUMNS));
  outbound
    .command('show <trunk>')
    .description('one trunk, by id or name')
    .action(async (word: string) =>
      output.record(await session.api.get(`${OUTBOUND}/${await outboundTrunkId(session, word)}`)),
    );
  outbound
    .command('create')
    .description('create one')
    .option('--name <name>')
    .option('--host <host>', 'host name or address of the carrier')
    .option('--port <port>', 'default 5060', wholeNumber)
    .option('--transport <transport>', 'udp (default) or tcp')
    .option('--username <name>')
    .option('--password-file <file>', 'its first line is the password; - for stdin')
    .option('--caller-number <number>', 'the number that calls come from')
    .option(...MEDIA_TIMEOUT)
    .option(DATA_FLAGS, DATA_HELP)
    .action(async (options: OutboundTrunkOptions) => {
      const body = await bodyOf(session, options.data, await outboundFields(session, options));
      output.record(await session.api.request('POST', OUTBOUND, { body }));
    });
  outbound
    .command('delete <trunk>')
    .description('delete one; agents that dialled through it have none afterwards')
    .option(...FORCE)
    .action(async (word: string, options: { readonly force?: boolean }) => {
      const path = `${OUTBOUND}/${await outboundTrunkId(session, word)}`;
      output.record(await session.api.request('DELETE', path, { query: forceQueryOf(options) }));
    });
}

async function outboundFields(session: CliSession, options: OutboundTrunkOptions): Promise<Record<string, unknown>> {
  const { passwordFile } = options;
  const password =
    passwordFile === undefined ? undefined : (await fileText(session, passwordFile)).split(/\r?\n/, 1)[0];
  return {
    name: options.name,
    host: options.host,
    port: options.port,
    transport: options.transport,
    username: options.username,
    password,
    caller_number: options.callerNumber,
    media_timeout_seconds: options.mediaTimeout,
  };
}

const forceQueryOf = ({ force }: { readonly force?: boolean }): { force: string | undefined } => ({
  force: force === true ? 'true' : undefined,
});
