import type { Command } from 'commander';

import { eventText, followEvents } from '../call-events';
import type { CliSession } from '../session';

export function addLogsCommand(program: Command, session: CliSession): void {
  program
    .command('logs <call>')
    .description("a call's events as they come, until it ends: SIP, media, turns, workflow")
    .option('--no-follow', 'only what has happened so far')
    .action(async (callId: string, { follow }: { readonly follow: boolean }) => {
      const { output } = session;
      await printEvents(session, callId, follow, output.json ? (event) => output.valueLine(event) : undefined);
    });
}

/** @param print default: a line for people */
export async function printEvents(
  { api, output, sleep }: CliSession,
  callId: string,
  follow: boolean,
  print: Parameters<typeof forEachEvent>[1] = (event) => output.line(eventText(event)),
): Promise<void> {
  const events = followEvents({ api, callId: encodeURIComponent(callId), sleep, follow });
  const label = follow ? `following call ${callId}` : `reading call ${callId}`;
  await output.waiting(label, forEachEvent(events, print));
}

async function forEachEvent(
  events: ReturnType<typeof followEvents>,
  print: (event: Parameters<typeof eventText>[0]) => void,
): Promise<void> {
  for await (const event of events) print(event);
}
