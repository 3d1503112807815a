/**
 * What the logs (level info, the default), the metrics and the answers to GET give away, over calls that succeed and calls
 * that fail, with PostgreSQL killed under way: no phone number, digit, word that was spoken, password or key.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../../media/agent/providers/flite/flite-tts';
import { freePort } from '../support/free-ports';
import { CALLER_NUMBER, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../support/outbound';
import { PhoneMedia } from '../support/phone/media';
import type { Answering } from '../support/phone/options';
import { Phone } from '../support/phone/phone';
import type { PhoneCall } from '../support/phone/phone-call';
import { Stack } from '../support/stack';
import { waitFor } from '../support/wait-for';

const DIALED = '+15551234567';
/** As many PBXs send it: without a plus. */
const CALLER = '15557654321';
const CALLEES = {
  answered: '+15552003001',
  busy: '+15552003002',
  denied: '+15552003003',
  unreachable: '+15552003004',
  ringing: '+15552003005',
} as const;
const PRESSED = '8675309421';
const GREETING = 'Marmalade greetings to you.';
const HOURS = 'Our opening hours are nine to five on weekdays.';
const WRONG_PASSWORD = 'not-the-password-55';
const WRONG_KEY = 'tl_0123456789abcdefWRONGKEY0123456789';

interface Trunk {
  readonly auth_username: string;
  readonly auth_password: string;
}

interface CallItem {
  readonly id: string;
  readonly direction: 'inbound' | 'outbound';
  readonly status: string;
  readonly disposition: string;
}

interface LogLine {
  readonly name: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

describe('privacy', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let voice: FliteTts;
  let outbound: OutboundCalls;
  let trunk: Trunk;
  let calls: CallItem[];
  let turns: string[];
  let earlierLogs: string;
  const metricsUrls: string[] = [];
  const paths: string[] = [];

  beforeAll(async () => {
    voice = new FliteTts();
    const workerPort = await freePort();
    [stack] = await Promise.all([Stack.start({ env: { WORKER_HTTP_PORT: String(workerPort) } }), voice.start()]);
    metricsUrls.push(stack.apiUrl, stack.mediaUrl, `http://127.0.0.1:${workerPort}`);
    media = new PhoneMedia();
    const agent = { name: 'Support Agent', first_message: GREETING, instructions: [HOURS] };
    const made = await stack.api<{ id: string }>('POST', '/phone', agent);
    paths.push(`/phone/${made.body.id}`);
    trunk = (await stack.api<Trunk>('POST', '/phone/sip/inbound-trunk', { phone_numbers: [DIALED] })).body;
    outbound = await OutboundCalls.create(stack);
    await sleep(1_000);
    await inboundCalls();
    await outboundCalls();
    await badRequests();
    await withoutDatabase();
    calls = await finishedCalls();
    turns = await transcripts();
  }, 180_000);

  afterAll(async () => {
    await media?.close();
    await Promise.all([voice?.close(), stack?.stop()]);
  }, 60_000);

  function phone(password: string, answer?: Answering): Promise<Phone> {
    return Phone.open({
      media,
      user: CALLER,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.auth_username, password },
      ...(answer === undefined ? {} : { answer: () => answer }),
    });
  }

  async function ask(call: PhoneCall): Promise<void> {
    await sleep(3_000);
    for await (const pcm of voice.synthesise({ text: 'What are your opening hours?', voiceId: 'rms', speedPct: 100 }))
      await call.play(pcm);
    await sleep(4_000);
  }

  async function inboundCalls(): Promise<void> {
    const caller = await phone(trunk.auth_password);
    const call = await caller.call(DIALED);
    await ask(call);
    await call.sendDigits(`${PRESSED}#`);
    await sleep(1_000);
    await call.hangup();
    caller.close();
    const stranger = await phone(WRONG_PASSWORD);
    await expect(stranger.call(DIALED)).rejects.toThrow(/INVITE ended with 40/);
    stranger.close();
  }

  async function outboundCalls(): Promise<void> {
    const credentials = { username: TRUNK_USERNAME, password: TRUNK_PASSWORD };
    const carrier = await Phone.open({ media, challenge: credentials, answer: () => ({ status: 200, ringMs: 50 }) });
    const busy = await Phone.open({ media, answer: () => ({ status: 486 }) });
    const denying = await Phone.open({
      media,
      challenge: { username: TRUNK_USERNAME, password: WRONG_PASSWORD },
      answer: () => ({ status: 200 }),
    });
    const ringing = await Phone.open({ media, answer: () => ({ ring: 'forever' }) });
    const trunks = {
      answered: await outbound.trunkTo(carrier.port),
      busy: await outbound.trunkTo(busy.port),
      denied: await outbound.trunkTo(denying.port),
      unreachable: await outbound.trunkTo(await freePort()),
      ringing: await outbound.trunkTo(ringing.port),
    };
    const placed = await Promise.all(
      (['answered', 'ringing', 'busy', 'denied', 'unreachable'] as const).map((name) =>
        outbound.place(trunks[name], CALLEES[name], { first_message: GREETING }),
      ),
    );
    const call = await carrier.nextCall();
    await call.sendDigits(PRESSED);
    await sleep(2_500);
    await outbound.until(placed[1]!.id, 'ringing');
    for (const { id } of placed.slice(0, 2)) await outbound.hangup(id);
    for (const { id } of placed) await outbound.ended(id, 30_000);
    paths.push(`/phone/sip/outbound-trunks/${trunks.answered}`);
    for (const peer of [carrier, busy, denying, ringing]) peer.close();
  }

  /** Refused for what they contain, or by a constraint of the database. */
  async function badRequests(): Promise<void> {
    const trunkBody = { phone_numbers: [DIALED] };
    const answers = await Promise.all([
      stack.api('POST', '/phone/sip/inbound-trunk', trunkBody),
      stack.api('POST', '/phone/outbound-call', { phone_agent_id: outbound.agentId, phone_number: `${DIALED}x` }),
      stack.api('GET', `/phone/calls/${CALLER}`),
      stack.api('GET', '/phone/calls', undefined, { authorization: `Bearer ${WRONG_KEY}` }),
      stack.api('POST', '/phone/numbers', { phone_number: DIALED, method: 'attest' }),
    ]);
    expect(answers.map(({ status }) => status >= 400)).not.toContain(false);
  }

  async function withoutDatabase(): Promise<void> {
    const caller = await phone(trunk.auth_password);
    const call = await caller.call(DIALED);
    // Its log begins anew with its next start.
    earlierLogs = logs();
    const pid = stack.kill('postgres');
    await ask(call);
    await call.hangup();
    caller.close();
    await stack.waitForNewPid('postgres', pid, 30_000);
    await stack.waitReady();
  }

  async function finishedCalls(): Promise<CallItem[]> {
    return await waitFor('the end of all calls', 30_000, async () => {
      const page = await stack.api<{ items?: CallItem[] }>('GET', '/phone/calls?limit=50');
      const items = page.body.items ?? [];
      return items.length > 0 && items.every(({ status }) => status === 'completed') ? items : undefined;
    });
  }

  async function transcripts(): Promise<string[]> {
    const texts: string[] = [];
    for (const { id } of calls) {
      const answer = await stack.api<{ turns: { text: string }[] }>('GET', `/phone/calls/${id}/transcript`);
      texts.push(...answer.body.turns.map(({ text }) => text));
    }
    return texts;
  }

  /** What all processes printed, and what the servers wrote. */
  function logs(): string {
    const folder = join(stack.dataDir, 'logs');
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    return [stack.log, ...files].join('\n');
  }

  function passwordsAndKeys(): string[] {
    const files = ['secrets-key', 'postgres-password'].map((name) =>
      readFileSync(join(stack.dataDir, name), 'utf8').trim(),
    );
    return [TRUNK_PASSWORD, WRONG_PASSWORD, WRONG_KEY, stack.apiKey, ...files];
  }

  const numbers = (): string[] => [DIALED, CALLER, CALLER_NUMBER, ...Object.values(CALLEES)].map(withoutPlus);
  const spoken = (): string[] => ['marmalade', 'weekdays', 'opening hours', ...turns];
  const digits = [PRESSED, PRESSED.replace(/\B/g, ' ')];

  it('had calls of every kind to tell of', () => {
    expect(new Set(calls.map(({ disposition }) => disposition))).toEqual(
      new Set(['answered', 'canceled', 'busy', 'trunk_denied', 'trunk_unreachable']),
    );
    expect(turns).toEqual(expect.arrayContaining([GREETING, HOURS]));
    expect(turns.join()).toContain(digits[1]);
  });

  it('keeps phone numbers, digits and words out of the logs', () => {
    expect(found(earlierLogs + logs(), [...numbers(), ...digits, ...spoken()])).toEqual([]);
  });

  it('keeps passwords, keys and credentials out of the logs', () => {
    const credentials = [trunk.auth_password, trunk.auth_username, ...passwordsAndKeys()];
    expect(found(earlierLogs + logs(), [...credentials, 'authorization', 'response="', 'nonce="'])).toEqual([]);
  });

  it('logs one line of signalling timings per call', () => {
    const lines = logLines(stack.log).filter(({ msg }) => msg === 'call ended');
    expect(lines).toHaveLength(calls.length);
    expect(new Set(lines.map(({ callId }) => callId))).toEqual(new Set(calls.map(({ id }) => id)));
    for (const line of lines) {
      const call = calls.find(({ id }) => id === line['callId']);
      expect(line).toMatchObject({ name: 'media', direction: call?.direction, disposition: call?.disposition });
      expect(line[call?.direction === 'inbound' ? 'inviteToWorkflowMs' : 'dialToInviteMs']).toEqual(expect.any(Number));
      if (call?.disposition !== 'answered') continue;
      for (const span of ['inviteToAnswerMs', 'answerToFirstPacketMs', 'talkMs'])
        expect([span, line[span]]).toEqual([span, expect.any(Number)]);
    }
  });

  it('shows nothing of it in the metrics', async () => {
    for (const url of metricsUrls) {
      const answer = await fetch(`${url}/metrics`);
      expect(answer.status).toBe(200);
      const text = await answer.text();
      const secrets = [trunk.auth_password, trunk.auth_username, ...passwordsAndKeys()];
      expect([url, found(text, [...numbers(), ...digits, ...spoken(), ...secrets])]).toEqual([url, []]);
    }
  });

  it('answers GET without passwords and keys, except the inbound trunk’s own', async () => {
    const ofCalls = calls.flatMap(({ id }) => ['', '/events?limit=100', '/transcript'].map((end) => `${id}${end}`));
    const lists = ['/phone', '/phone/numbers', '/phone/sip/outbound-trunks', '/phone/calls', '/phone/voices', '/ready'];
    const all = [...lists, ...paths, ...ofCalls.map((end) => `/phone/calls/${end}`), '/openapi.json', '/health'];
    for (const path of all) {
      const { status, body } = await stack.api('GET', path);
      expect([path, status]).toEqual([path, 200]);
      const secrets = [trunk.auth_password, ...passwordsAndKeys(), 'v1.'];
      expect([path, found(JSON.stringify(body), secrets)]).toEqual([path, []]);
    }
    const own = await stack.api('GET', '/phone/sip/inbound-trunk');
    expect(found(JSON.stringify(own.body), [trunk.auth_password])).toEqual([trunk.auth_password]);
    expect(found(JSON.stringify(own.body), passwordsAndKeys())).toEqual([]);
  });
});

function withoutPlus(number: string): string {
  return number.replace('+', '');
}

/** Those of `needles` that stand in `text`, without regard to case. */
function found(text: string, needles: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return needles.filter((needle) => lower.includes(needle.toLowerCase()));
}

function logLines(log: string): LogLine[] {
  return log.split('\n').flatMap((line) => {
    const json = /\| (\{.*\})$/.exec(line)?.[1];
    return json === undefined ? [] : [JSON.parse(json) as LogLine];
  });
}
