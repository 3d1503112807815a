import { randomUUID } from 'node:crypto';

import type { Command } from 'commander';

import { hasFailed, wasAnswered } from '../../../contract/endings';
import type { CallEnding } from '../../../contract/endings';
import { headerWord, namedValue, wholeNumber } from '../arguments';
import type { CallSummary } from '../call-events';
import { EXIT } from '../exit-code';
import type { ExitCode } from '../exit-code';
import { CliFailure, RefusedByApi } from '../failure';
import { addBodyFields, bodyOf } from '../fields';
import type { Field, OptionValues } from '../fields';
import { resourceId } from '../resource';
import type { CliSession } from '../session';
import { AGENTS } from './agents';
import { callPath } from './calls';
import { printEvents } from './logs';
import { OUTBOUND_TRUNKS } from './outbound-trunks';

interface PlaceOptions extends OptionValues {
  readonly agent: string;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
}

interface PlacedCall extends CallSummary {
  readonly warnings?: readonly object[];
}

interface EndedRecord extends CallSummary {
  readonly disposition: CallEnding['disposition'];
  readonly end_reason: CallEnding['endReason'];
}

const FIELDS: readonly Field[] = [
  {
    name: 'trunk_id',
    flags: '--trunk <trunk>',
    help: "through which outbound trunk, by id or name; default: the agent's",
    sent: (session, word: string) => resourceId(session, OUTBOUND_TRUNKS, word),
  },
  { name: 'caller_number', flags: '--from <number>', help: 'the number that is shown, one that the trunk owns' },
  { name: 'first_message', flags: '--first-message <text>', help: "instead of the agent's own" },
  {
    name: 'variables',
    flags: '--variable <name=value>',
    help: 'fills {{name}} in the first message; may be repeated',
    parse: namedValue,
  },
  {
    name: 'metadata',
    flags: '--metadata <name=value>',
    help: "kept in the call's record; may be repeated",
    parse: namedValue,
  },
  { name: 'ring_timeout_seconds', flags: '--ring-timeout <seconds>', help: 'default 45', parse: wholeNumber },
  { name: 'max_duration_seconds', flags: '--max-duration <seconds>', help: "default: the agent's", parse: wholeNumber },
];

export function addCallCommand(program: Command, session: CliSession): void {
  const call = program
    .command('call <number>')
    .description('call a number')
    .requiredOption('--agent <agent>', 'who speaks, by id or name');
  addBodyFields(call, FIELDS)
    .option('--idempotency-key <key>', 'a repeat with the same key never calls twice', headerWord)
    .option('--wait', 'follow the call to its end; the exit code says how it went')
    .action(async (number: string, options: PlaceOptions) => {
      const { output } = session;
      const fields = await bodyOf(session, options, FIELDS);
      const agentId = await resourceId(session, AGENTS, options.agent);
      const body = { ...fields, phone_agent_id: agentId, phone_number: number };
      const placing = place(session, body, options.idempotencyKey ?? randomUUID());
      const placed = await output.waiting(`placing a call to ${number}`, placing);
      if (options.wait !== true) return output.record(placed);
      const ended = await followed(session, placed.id);
      output.record({ ...ended, warnings: placed.warnings });
      session.exitCode = exitCodeOf(ended);
    });
}

/** Whether a call went out can be unknown; its key is what the same command is repeated with. */
async function place(session: CliSession, body: object, idempotencyKey: string): Promise<PlacedCall> {
  try {
    return await session.api.request('POST', '/phone/outbound-call', { body, idempotencyKey });
  } catch (error) {
    const unknown = error instanceof CliFailure && (!(error instanceof RefusedByApi) || error.status >= 500);
    if (unknown) error.details['idempotency_key'] = idempotencyKey;
    throw error;
  }
}

async function followed(session: CliSession, callId: string): Promise<EndedRecord> {
  try {
    await printEvents(session, callId, true, session.output.json ? () => undefined : undefined);
    return await session.api.get<EndedRecord>(callPath(callId));
  } catch (error) {
    // The call goes on without us: its id is how to come back to it.
    if (error instanceof CliFailure) error.details['call_id'] = callId;
    throw error;
  }
}

function exitCodeOf({ disposition, end_reason: endReason }: EndedRecord): ExitCode {
  if (hasFailed({ disposition, endReason })) return EXIT.callFailed;
  return wasAnswered({ disposition }) ? EXIT.done : EXIT.notAnswered;
}
