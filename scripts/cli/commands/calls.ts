import type { Command } from 'commander';

import { CALL_DIRECTIONS, CALL_STATUSES } from '../../../contract/call';
import { DISPOSITIONS } from '../../../contract/endings';
import type { Field } from '../fields';
import { CREATED_FILTERS } from '../paging';
import { ResourceCommands, resourceId } from '../resource';
import type { Resource } from '../resource';
import { printSteps } from '../routing-steps';
import type { RoutedBy } from '../routing-steps';
import type { CliSession } from '../session';
import type { Column } from '../table';
import { AGENTS } from './agents';
import { DESTINATIONS } from './destinations';

interface CallItem {
  readonly id: string;
  readonly direction: string;
  readonly from: string;
  readonly to: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly end_reason: string | null;
  readonly started_at: string;
  readonly duration_seconds: number | null;
}

interface TurnItem {
  readonly speaker: string;
  readonly text: string;
  readonly start_ms: number;
}

const CALLS: Resource<CallItem> = {
  what: 'call',
  path: '/phone/calls',
  paged: true,
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'STARTED', value: (row) => row.started_at },
    { title: 'DIRECTION', value: ({ direction }) => direction },
    { title: 'FROM', value: ({ from }) => from },
    { title: 'TO', value: ({ to }) => to },
    { title: 'STATUS', value: ({ status }) => status },
    { title: 'DISPOSITION', value: ({ disposition }) => disposition },
    { title: 'END', value: (row) => row.end_reason },
    { title: 'SECONDS', value: (row) => row.duration_seconds },
  ],
};

const FILTERS: readonly Field[] = [
  { name: 'status', flags: '--status <status>', help: CALL_STATUSES.join(', ') },
  { name: 'disposition', flags: '--disposition <disposition>', help: DISPOSITIONS.join(', ') },
  { name: 'direction', flags: '--direction <direction>', help: CALL_DIRECTIONS.join(', ') },
  {
    name: 'phone_agent_id',
    flags: '--agent <agent>',
    help: 'by id or name',
    sent: (session, word: string) => resourceId(session, AGENTS, word),
  },
  { name: 'phone_number', flags: '--number <number>', help: 'either side of the call' },
  ...CREATED_FILTERS,
];

const TURN_COLUMNS: readonly Column<TurnItem>[] = [
  { title: 'AT', value: (turn) => `${(turn.start_ms / 1000).toFixed(1)}s` },
  { title: 'WHO', value: ({ speaker }) => speaker },
  { title: 'WHAT', value: ({ text }) => text },
];

/** How long the phone of a supervisor rings at most. */
const RINGING_MS = 30_000;

export function callPath(callId: string): string {
  return `${CALLS.path}/${encodeURIComponent(callId)}`;
}

export function addCallsCommands(program: Command, session: CliSession): void {
  const { output } = session;
  const calls = program.command('calls').description('calls that are and were');
  new ResourceCommands(calls, session, CALLS).list('calls, newest first', FILTERS);
  calls
    .command('show <call>')
    .description('one call, and why its agent answered')
    .action(async (callId: string) => {
      const call = await session.api.get<{ readonly routing: RoutedBy | null }>(callPath(callId));
      if (output.json || call.routing === null) return output.record(call);
      const { steps, ...routing } = call.routing;
      output.record({ ...call, routing });
      printSteps(output, steps);
    });
  calls
    .command('transcript <call>')
    .description('what was said, as far as it was heard')
    .action(async (callId: string) => {
      const transcript = await session.api.get<{ turns: readonly TurnItem[] }>(`${callPath(callId)}/transcript`);
      if (output.json) return output.value(transcript);
      output.table(transcript.turns, TURN_COLUMNS);
    });
  const tell = async (callId: string, verb: string, body?: object): Promise<void> => {
    const told = session.api.request<object>('POST', `${callPath(callId)}/${verb}`, body && { body });
    output.record(await output.waiting('telling the call', told));
  };
  calls
    .command('say <call> <text>')
    .description('have the agent say something, after what it is saying')
    .option('--interrupt', 'instead of what it is saying')
    .action((callId: string, text: string, { interrupt = false }: { interrupt?: boolean }) =>
      tell(callId, 'say', { text, interrupt }),
    );
  calls
    .command('instruct <call> <text>')
    .description('tell the agent something that the caller does not hear')
    .action((callId: string, text: string) => tell(callId, 'instruct', { text }));
  calls
    .command('press <call> <digits>')
    .description('press keys: 0-9, *, #, A-D, w for half a second of nothing')
    .action((callId: string, digits: string) => tell(callId, 'dtmf', { digits }));
  calls
    .command('mute <call>')
    .description('keep the agent silent; it goes on listening')
    .action((callId: string) => tell(callId, 'mute'));
  calls
    .command('unmute <call>')
    .description('let a muted agent speak again')
    .action((callId: string) => tell(callId, 'unmute'));
  calls
    .command('hold <call>')
    .description('put a call on hold: music for the other side')
    .action((callId: string) => tell(callId, 'hold'));
  calls
    .command('unhold <call>')
    .description('take a held call back; the agent goes on where it was')
    .action((callId: string) => tell(callId, 'unhold'));
  calls
    .command('transfer <call> <destination>')
    .description('hand the caller over: to a destination by id or name, a number, or a SIP URI')
    .option('--mode <mode>', 'auto, refer, bridge, warm')
    .option('--announce <text>', 'what the agent says to the caller before')
    .option('--briefing <text>', 'by mode warm: what the agent says to whoever answers, before it asks')
    .action(async (callId: string, destination: string, how: { mode?: string; announce?: string; briefing?: string }) =>
      tell(callId, 'transfer', { ...(await transferTo(session, destination)), ...how }),
    );
  calls
    .command('supervise <call> <destination>')
    .description('call somebody who listens in: a number, or a SIP URI; again with another mode changes it')
    .option('--mode <mode>', 'listen, whisper (to the agent), barge (in on everybody)', 'listen')
    .action(async (callId: string, destination: string, { mode }: { mode: string }) => {
      const options = { body: { destination, mode }, longerMs: RINGING_MS };
      const called = session.api.request<object>('POST', `${callPath(callId)}/supervise`, options);
      output.record(await output.waiting('calling the supervisor', called));
    });
  calls
    .command('unsupervise <call>')
    .description('send the supervisor away')
    .action(async (callId: string) => {
      const sent = session.api.request<object>('DELETE', `${callPath(callId)}/supervise`);
      output.record(await output.waiting('sending the supervisor away', sent));
    });
  calls
    .command('hangup <call>')
    .description('end a call')
    .action(async (callId: string) => {
      const hangup = session.api.request<object>('POST', `${callPath(callId)}/hangup`);
      output.record(await output.waiting('hanging up', hangup));
    });
}

async function transferTo(session: CliSession, word: string): Promise<object> {
  if (/^\+[\d ()-]+$/.test(word)) return { type: 'phone', value: word };
  if (/^sips?:/i.test(word)) return { type: 'sip', value: word };
  return { destination_id: await resourceId(session, DESTINATIONS, word) };
}
