/**
 * `npm run bench:conversation`: how many callers the whole product listens to. Each speaks a sentence of about four seconds, is
 * silent for four, and so on for `BENCH_SECONDS` (60), beginning at random (by a seed), at each number of `BENCH_CALLERS`
 * (15,30,45,60). Prints one JSON line: turns that were given up (the agent asks to say it again), from the end of a caller's
 * sentence to the agent's first sound, and what each thread of the media node took of a core. The limit of calls is the node's
 * own, as it has measured it; with `BENCH_CALL_LIMIT` another one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../media/agent/providers/flite/flite-tts';
import { SAY_AGAIN } from '../media/agent/turns/phrases';
import { PhoneMedia } from '../test/support/phone/media';
import { Phone } from '../test/support/phone/phone';
import type { PhoneCall } from '../test/support/phone/phone-call';
import { Stack } from '../test/support/stack';
import { SeededRandom } from '../test/support/live/random';
import { waitFor } from '../test/support/wait-for';
import { percentiles } from './percentiles';

const DIALED = '+15551234567';
const PAUSE_MS = 4_000;
const GREETING_MS = 2_000;
const SEED = 45;
const SAMPLES_PER_MS = 8;
const RECORDED_WITHIN_MS = 30_000;
const MEASURED_AGAIN_MS = 15_000;
/** Linux's USER_HZ. */
const TICKS_PER_SECOND = 100;
const GOAL = { callers: 45, givenUp: 0, turnLatencyP95Ms: 1_500 };
/** Four seconds each, about. */
const SENTENCES = [
  'I would like to know whether you are open on the weekend, and if so, from when.',
  'My parcel should have been here on Tuesday, and I still have not heard anything.',
  'Could you please tell me how much it costs to change the address of my order?',
  'I am calling because the invoice you have sent me last week seems to be wrong.',
  'Can I speak to somebody who knows about the contract that I have with you?',
  'Please tell me the address of your office, and where I can leave my car there.',
];

interface Turn {
  readonly speaker: 'agent' | 'caller';
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

async function main(): Promise<void> {
  const seconds = Number(process.env['BENCH_SECONDS'] ?? 60);
  const numbers = (process.env['BENCH_CALLERS'] ?? '15,30,45,60').split(',').map(Number);
  const limit = process.env['BENCH_CALL_LIMIT'];
  const before = loadavg()[0];
  const voice = new FliteTts();
  await voice.start();
  const sentences = await Promise.all(SENTENCES.map((text) => spoken(voice, text)));
  await voice.close();
  const stack = await Stack.start({ env: { MEDIA_MAX_CALLS: limit ?? '' } });
  const media = new PhoneMedia();
  try {
    // The node measures once more what it can hear, when all of the product has started.
    if (limit === undefined) await sleep(MEASURED_AGAIN_MS);
    const phone = await prepare(stack, media);
    const steps: object[] = [];
    for (const callers of numbers) steps.push(await measure(stack, phone, sentences, callers, seconds));
    const figures = {
      bench: 'conversation',
      seconds,
      steps,
      goal: GOAL,
      cores: cpus().length,
      loadAverage: { before, after: loadavg()[0] },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    phone.close();
  } finally {
    await media.close();
    await stack.stop();
  }
}

async function prepare(stack: Stack, media: PhoneMedia): Promise<Phone> {
  await stack.api('POST', '/phone', {
    name: 'Bench',
    first_message: 'Hello there!',
    instructions: ['We are open from nine to five on weekdays.'],
    interruptible: false,
  });
  const { body } = await stack.api<{ auth_username: string; auth_password: string }>(
    'POST',
    '/phone/sip/inbound-trunk',
    { phone_numbers: [DIALED] },
  );
  await sleep(1_000);
  const server = { address: stack.sipHost, port: stack.sipPort };
  return Phone.open({ media, server, credentials: { username: body.auth_username, password: body.auth_password } });
}

async function measure(
  stack: Stack,
  phone: Phone,
  sentences: readonly Int16Array[],
  callers: number,
  seconds: number,
): Promise<object> {
  const cpuBefore = threadSeconds(stack.pid('media'));
  const began = performance.now();
  const refused: string[] = [];
  const random = new SeededRandom(SEED);
  const talked = await Promise.all(
    Array.from({ length: callers }, async (_, n) => {
      // When whoever is taken begins to talk has nothing to do with who is taken: the first ones would all talk at once.
      const phaseMs = random.next() * 2 * PAUSE_MS;
      await sleep((n * 2 * PAUSE_MS) / callers);
      const call = await phone.call(DIALED).catch((error: unknown) => {
        refused.push(error instanceof Error ? error.message.slice(0, 80) : 'unknown');
        return null;
      });
      if (call === null) return null;
      await sleep(GREETING_MS + phaseMs);
      const said = await talk(call, sentences, n, seconds * 1_000);
      await call.hangup();
      return { sipCallId: call.sipCallId, said };
    }),
  );
  const elapsed = (performance.now() - began) / 1_000;
  const cpu = shares(cpuBefore, threadSeconds(stack.pid('media')), elapsed);
  const [latencies, counts] = [[] as number[], { said: 0, understood: 0, givenUp: 0 }];
  for (const one of talked) {
    if (one === null) continue;
    const turns = await transcript(stack, one.sipCallId);
    counts.said += one.said;
    counts.understood += turns.filter(({ speaker, text }) => speaker === 'caller' && text !== '').length;
    counts.givenUp += turns.filter(
      ({ speaker, text }) => speaker === 'agent' && text.startsWith(SAY_AGAIN.slice(0, 20)),
    ).length;
    turns.forEach(({ speaker, end_ms: endMs }, n) => {
      const next = turns[n + 1];
      if (speaker === 'caller' && next?.speaker === 'agent') latencies.push(next.start_ms - endMs);
    });
  }
  return {
    callers,
    refused: refused.length,
    refusals: [...new Set(refused)],
    ...counts,
    turnLatencyMs: percentiles(latencies),
    mediaThreads: cpu,
  };
}

/** How many sentences it was. */
async function talk(call: PhoneCall, sentences: readonly Int16Array[], n: number, forMs: number): Promise<number> {
  let said = 0;
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs && !call.over) {
    const pcm = sentences[(n + said) % sentences.length]!;
    await call.play(pcm);
    said++;
    await sleep(PAUSE_MS);
  }
  return said;
}

async function transcript(stack: Stack, sipCallId: string): Promise<readonly Turn[]> {
  const found = await waitFor('the record', RECORDED_WITHIN_MS, async () => {
    const page = await stack.api<{ items: { id: string; status: string; sip: { call_id: string } }[] }>(
      'GET',
      '/phone/calls?limit=100',
    );
    return page.body.items.find(({ sip, status }) => sip.call_id === sipCallId && status === 'completed');
  });
  const { body } = await stack.api<{ turns: Turn[] }>('GET', `/phone/calls/${found.id}/transcript`);
  return body.turns;
}

async function spoken(voice: FliteTts, text: string): Promise<Int16Array> {
  const chunks: Int16Array[] = [];
  for await (const chunk of voice.synthesise({ text, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const pcm = new Int16Array(Math.ceil(length / (20 * SAMPLES_PER_MS)) * 20 * SAMPLES_PER_MS);
  let at = 0;
  for (const chunk of chunks) {
    pcm.set(chunk, at);
    at += chunk.length;
  }
  return pcm;
}

/** CPU time of each thread, s. */
function threadSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      seconds.set(tid === String(pid) ? 'main' : tid, (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND);
    } catch {
      // It ended meanwhile.
    }
  }
  return seconds;
}

/** Of one core, the largest first; what took less than a hundredth is left out. */
function shares(before: Map<string, number>, after: Map<string, number>, elapsed: number): Record<string, number> {
  const each = [...after].map(([tid, seconds]) => [tid, (seconds - (before.get(tid) ?? 0)) / elapsed] as const);
  const busy = each.filter(([, share]) => share >= 0.01).sort(([, a], [, b]) => b - a);
  return Object.fromEntries(
    busy.map(([tid, share]) => [tid === 'main' ? tid : `thread ${tid}`, Math.round(share * 100) / 100]),
  );
}

void main();
