import { randomUUID } from 'node:crypto';

import type { Command } from 'commander';

import { hasFailed, wasAnswered } from '../../../contract/endings';
import type { CallEnding } from '../../../contract/endings';
import { bodyOf, DATA_FLAGS, DATA_HELP, headerWord, namedValue, wholeNumber } from '../arguments';
import type { CallSummary } from '../call-events';
import { EXIT } from '../exit-code';
import type { ExitCode } from '../exit-code';
import { CliFailure, RefusedByApi } from '../failure';
import type { CliSession } from '../session';
import { agentId } from './agents';
import { callPath } from './calls';
import { printEvents } from './logs';
import { outboundTrunkId } from './trunks';

interface PlaceOptions {
  readonly agent: string;
  readonly trunk?: string;
  readonly from?: string;
  readonly firstMessage?: string;
  readonly variable?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly ringTimeout?: number;
  readonly maxDuration?: number;
  readonly data?: string;
  readonly idempotencyKey?: string;
  readonly wait?: boolean;
}

interface EndedRecord extends CallSummary {
  readonly disposition: CallEnding['disposition'];
  readonly end_reason: CallEnding['endReason'];
}

export function addCallCommand(program: Command, session: CliSession): void {
  program
    .command('call <number>')
    .description('call a number')
    .requiredOption('--agent <agent>', 'who speaks, by id or name')
    .option('--trunk <trunk>', "through which outbound trunk, by id or name; default: the agent's")
    .option('--from <number>', 'the number that is shown, one that the trunk owns')
    .option('--first-message <text>', "instead of the agent's own")
    .option('--variable <name=value>', 'fills {{name}} in the first message; may be repeated', namedValue)
    .option('--metadata <name=value>', "kept in the call's record; may be repeated", namedValue)
    .option('--ring-timeout <seconds>', 'default 45', wholeNumber)
    .option('--max-duration <seconds>', "default: the agent's", wholeNumber)
    .option(DATA_FLAGS, DATA_HELP)
    .option('--idempotency-key <key>', 'a repeat with the same key never calls twice', headerWord)
    .option('--wait', 'follow the call to its end; the exit code says how it went')
    .action(async (number: string, options: PlaceOptions) => {
      const { output } = session;
      const body = await bodyOf(session, options.data, await fieldsOf(session, number, options));
      const placing = place(session, body, options.idempotencyKey ?? randomUUID());
      const placed = await output.waiting(`placing a call to ${number}`, placing);
      if (options.wait !== true) return output.record(placed);
      const ended = await followed(session, placed.id);
      output.record(ended);
      session.exitCode = exitCodeOf(ended);
    });
}

/** Whether a call went out can be unknown; its key is what the same command is repeated with. */
async function place(session: CliSession, body: object, idempotencyKey: string): Promise<CallSummary> {
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

async function fieldsOf(session: CliSession, number: string, options: PlaceOptions): Promise<Record<string, unknown>> {
  return {
    phone_agent_id: await agentId(session, options.agent),
    phone_number: number,
    trunk_id: options.trunk === undefined ? undefined : await outboundTrunkId(session, options.trunk),
    caller_number: options.from,
    first_message: options.firstMessage,
    variables: options.variable,
    metadata: options.metadata,
    ring_timeout_seconds: options.ringTimeout,
    max_duration_seconds: options.maxDuration,
  };
}

function exitCodeOf({ disposition, end_reason: endReason }: EndedRecord): ExitCode {
  if (hasFailed({ disposition, endReason })) return EXIT.callFailed;
  return wasAnswered({ disposition }) ? EXIT.done : EXIT.notAnswered;
}
