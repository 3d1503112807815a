/**
 * `npm run bench:capacity`: calls per second that the whole product holds with its embedded servers: SIPp calls with
 * digest for `BENCH_SECONDS` (60) at each rate of `BENCH_RATES` (10,20,30,40,50), until one fails or is not recorded in
 * time. Prints one JSON line, with the share of a core each process took: the fullest gives way first.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { completedCalls } from '../test/support/recorded-calls';
import { runSipp } from '../test/support/sipp';
import { Stack } from '../test/support/stack';
import { waitFor } from '../test/support/wait-for';
import { coresBetween, cpuSeconds } from './stack-usage';

const DIALED = '+15551234567';
const TALK_MS = 2_000;
const RECORDED_WITHIN_MS = 30_000;

interface Step {
  readonly perSecond: number;
  readonly held: boolean;
  readonly failure: string | null;
  readonly recordedAfterMs: number | null;
  /** Share of one core, per process. */
  readonly cores: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const seconds = Number(process.env['BENCH_SECONDS'] ?? 60);
  const rates = (process.env['BENCH_RATES'] ?? '10,20,30,40,50').split(',').map(Number);
  const before = loadavg()[0];
  // A port rests 30 s after its call: the thousand of a test's stack would be what gives way first.
  const stack = await Stack.start({ env: { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '29999' } });
  const database = new Client(stack.databaseUrl);
  try {
    await database.connect();
    const credentials = await prepare(stack);
    const steps: Step[] = [];
    for (const perSecond of rates) {
      const step = await measure(stack, database, credentials, perSecond, seconds);
      steps.push(step);
      if (!step.held) break;
    }
    const figures = {
      bench: 'capacity',
      seconds,
      heldPerSecond: steps.findLast((step) => step.held)?.perSecond ?? 0,
      steps,
      expected: 'about 10 per embedded server',
      cores: cpus().length,
      loadAverage: { before, after: loadavg()[0] },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    await database.end();
    await stack.stop();
  }
}

async function prepare(stack: Stack): Promise<{ username: string; password: string }> {
  await stack.api('POST', '/phone', { name: 'Bench', first_message: 'Hello there!' });
  const { body } = await stack.api<{ auth_username: string; auth_password: string }>(
    'POST',
    '/phone/sip/inbound-trunk',
    { phone_numbers: [DIALED] },
  );
  await sleep(1_000);
  return { username: body.auth_username, password: body.auth_password };
}

async function measure(
  stack: Stack,
  database: Client,
  credentials: { username: string; password: string },
  perSecond: number,
  seconds: number,
): Promise<Step> {
  const before = await completedCalls(database);
  const cpuBefore = cpuSeconds(stack);
  const began = performance.now();
  const failure = await runSipp({
    scenario: 'digest-call.xml',
    service: DIALED,
    remotePort: stack.sipPort,
    credentials,
    calls: perSecond * seconds,
    perSecond,
    pauseMs: TALK_MS,
    timeoutSeconds: seconds + 60,
  }).then(
    () => null,
    // Of all SIPp says: the first answer that it did not expect.
    (error: unknown) => /received '([^\r\n]+)/.exec(String(error))?.[1] ?? String(error).slice(0, 200),
  );
  const elapsed = (performance.now() - began) / 1000;
  const after = cpuSeconds(stack);
  const ended = performance.now();
  const inTime = await waitFor('the records', RECORDED_WITHIN_MS, async () =>
    (await completedCalls(database)) - before >= perSecond * seconds ? true : undefined,
  ).catch(() => false);
  return {
    perSecond,
    held: failure === null && inTime,
    failure: failure ?? (inTime ? null : `not all recorded within ${RECORDED_WITHIN_MS} ms`),
    recordedAfterMs: inTime ? Math.round(performance.now() - ended) : null,
    cores: coresBetween(cpuBefore, after, elapsed),
  };
}

void main();
