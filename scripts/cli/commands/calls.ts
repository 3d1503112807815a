import type { Command } from 'commander';

import { CALL_DIRECTIONS, CALL_STATUSES } from '../../../contract/call';
import { DISPOSITIONS } from '../../../contract/endings';
import { addPageOptions, printPages } from '../paging';
import type { PageOptions } from '../paging';
import type { CliSession } from '../session';
import type { Column } from '../table';
import { agentId } from './agents';

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

interface CallFilterOptions extends PageOptions {
  readonly status?: string;
  readonly disposition?: string;
  readonly direction?: string;
  readonly agent?: string;
  readonly number?: string;
  readonly after?: string;
  readonly before?: string;
}

interface TurnItem {
  readonly speaker: string;
  readonly text: string;
  readonly start_ms: number;
}

const COLUMNS: readonly Column<CallItem>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STARTED', value: (row) => row.started_at },
  { title: 'DIRECTION', value: ({ direction }) => direction },
  { title: 'FROM', value: ({ from }) => from },
  { title: 'TO', value: ({ to }) => to },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'DISPOSITION', value: ({ disposition }) => disposition },
  { title: 'END', value: (row) => row.end_reason },
  { title: 'SECONDS', value: (row) => row.duration_seconds },
];

const TURN_COLUMNS: readonly Column<TurnItem>[] = [
  { title: 'AT', value: (turn) => `${(turn.start_ms / 1000).toFixed(1)}s` },
  { title: 'WHO', value: ({ speaker }) => speaker },
  { title: 'WHAT', value: ({ text }) => text },
];

export function callPath(callId: string): string {
  return `/phone/calls/${encodeURIComponent(callId)}`;
}

export function addCallsCommands(program: Command, session: CliSession): void {
  const { output } = session;
  const calls = program.command('calls').description('calls that are and were');
  const list = calls.command('list', { isDefault: true }).description('calls, newest first');
  list
    .option('--status <status>', CALL_STATUSES.join(', '))
    .option('--disposition <disposition>', DISPOSITIONS.join(', '))
    .option('--direction <direction>', CALL_DIRECTIONS.join(', '))
    .option('--agent <agent>', 'by id or name')
    .option('--number <number>', 'either side of the call')
    .option('--after <time>', 'ISO 8601, such as 2026-11-24T09:00:00Z')
    .option('--before <time>', 'ISO 8601');
  addPageOptions(list).action(async (options: CallFilterOptions) => {
    const filters = {
      status: options.status,
      disposition: options.disposition,
      direction: options.direction,
      phone_agent_id: options.agent === undefined ? undefined : await agentId(session, options.agent),
      phone_number: options.number,
      created_after: options.after,
      created_before: options.before,
    };
    await printPages(session, '/phone/calls', options, filters, COLUMNS);
  });
  calls
    .command('show <call>')
    .description('one call')
    .action(async (callId: string) => output.record(await session.api.get(callPath(callId))));
  calls
    .command('transcript <call>')
    .description('what was said, as far as it was heard')
    .action(async (callId: string) => {
      const transcript = await session.api.get<{ turns: readonly TurnItem[] }>(`${callPath(callId)}/transcript`);
      if (output.json) return output.value(transcript);
      output.table(transcript.turns, TURN_COLUMNS);
    });
  calls
    .command('hangup <call>')
    .description('end a call')
    .action(async (callId: string) => {
      const hangup = session.api.request<object>('POST', `${callPath(callId)}/hangup`);
      output.record(await output.waiting('hanging up', hangup));
    });
}
