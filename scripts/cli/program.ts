/** `trunkline`: a client of the REST API for a terminal and for scripts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command } from 'commander';

import { PROJECT_ROOT } from '../project-root';
import { addAgentCommands } from './commands/agents';
import { addAuditCommands } from './commands/audit';
import { addCallCommand } from './commands/call';
import { addCallsCommands } from './commands/calls';
import { addContactCommands } from './commands/contacts';
import { addDestinationCommands } from './commands/destinations';
import { addKeyCommands } from './commands/keys';
import { addLogsCommand } from './commands/logs';
import { addNumberCommands } from './commands/numbers';
import { addOrganisationCommands } from './commands/organisations';
import { addTrunkCommands } from './commands/trunks';
import { EXIT_CODES_HELP } from './exit-code';
import type { ExitCode } from './exit-code';
import { CliSession } from './session';
import type { CliSurroundings } from './session';

const ENVIRONMENT_HELP = `Environment (also read from .env):
  TRUNKLINE_URL      where the API is; default http://127.0.0.1:8080, or API_HOST and API_PORT
  TRUNKLINE_API_KEY  the key; else BOOTSTRAP_API_KEY, else the file api-key in DATA_DIR (default .data)
  NO_COLOR           no colours`;

/** Runs one command line, without the program's name; answers the exit code. */
export async function runCli(args: readonly string[], surroundings: CliSurroundings): Promise<ExitCode> {
  const session = new CliSession(surroundings);
  try {
    await trunklineCommand(session, surroundings).parseAsync(args, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    return session.fail(error);
  }
}

function trunklineCommand(session: CliSession, { stdout, stderr }: CliSurroundings): Command {
  const { version } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string };
  const program = new Command('trunkline')
    .description('Agents, numbers, trunks, calls and whatever else a Trunkline server keeps')
    .version(version)
    .option('--json', 'answers, events and errors as JSON')
    .addHelpText('after', `\n${ENVIRONMENT_HELP}\n\n${EXIT_CODES_HELP}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Told with all others by the session.
      outputError: () => undefined,
    })
    .on('option:json', () => (session.output.json = true));
  addAgentCommands(program, session);
  addNumberCommands(program, session);
  addTrunkCommands(program, session);
  addDestinationCommands(program, session);
  addContactCommands(program, session);
  addCallCommand(program, session);
  addCallsCommands(program, session);
  addLogsCommand(program, session);
  addKeyCommands(program, session);
  addOrganisationCommands(program, session);
  addAuditCommands(program, session);
  return program;
}
