import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { MoonshineStt } from '../../../media/agent/providers/moonshine/moonshine-stt';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { headerOf } from '../../support/phone/sip-text';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';
import { wordErrorRate } from '../../support/word-error-rate';

const DIALED = '+15551234567';
const GREETING = 'Hi, thanks for calling! How can I help you today?';
const HOURS = 'Our opening hours are nine to five on weekdays.';
const FAREWELL = 'Thank you for calling. Goodbye!';
const QUESTION = 'What are your opening hours?';
/** Half of its words find the answer: a phone that stalls for some packets spoils one or two, of a shorter one all. */
const WORDY_QUESTION = 'Are your opening hours nine to five on weekdays?';
const SAMPLES_PER_MS = 8;
/** What an agent has unless it is told otherwise. */
const SILENCE_TIMEOUT_MS = 10_000;

interface Turn {
  readonly speaker: 'agent' | 'caller';
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly interrupted_at_ms: number | null;
}

interface Call {
  readonly id: string;
  readonly status: string;
  readonly disposition: string;
  readonly end_reason: string;
  readonly ended_by: string;
  readonly sip: { readonly call_id: string };
  readonly metrics: { readonly turn_latency_ms: { readonly p50: number; readonly p95: number } | null };
}

describe('a conversation over SIP and RTP', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let phone: Phone;
  let voice: FliteTts;
  let ears: MoonshineStt;

  beforeAll(async () => {
    voice = new FliteTts();
    ears = new MoonshineStt();
    [stack] = await Promise.all([Stack.start(), voice.start(), ears.start()]);
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: GREETING, instructions: [HOURS] });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED], krisp_enabled: true },
    );
    media = new PhoneMedia();
    phone = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    });
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    phone?.close();
    await media?.close();
    await Promise.all([voice?.close(), ears?.close(), stack?.stop()]);
  }, 60_000);

  async function speech(text: string): Promise<Int16Array> {
    const chunks: Int16Array[] = [];
    for await (const chunk of voice.synthesise({ text, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
    const pcm = new Int16Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      pcm.set(chunk, at);
      at += chunk.length;
    }
    return pcm;
  }

  async function heard(call: PhoneCall, fromMs: number): Promise<string> {
    const { pcm } = await call.recording();
    const cut = pcm.subarray(fromMs * SAMPLES_PER_MS);
    return (await ears.transcribe(trimmed(cut), { keyterms: [] })).text;
  }

  /** Position in the recording, ms. */
  async function clock(call: PhoneCall): Promise<number> {
    return (await call.recording()).pcm.length / SAMPLES_PER_MS;
  }

  /** Resolves when the agent has been silent for `silenceMs` after `fromMs`. */
  async function untilQuiet(call: PhoneCall, fromMs: number, silenceMs = 700): Promise<void> {
    await waitFor('speech, then silence', 20_000, async () => {
      const { pcm } = await call.recording();
      const since = pcm.subarray(fromMs * SAMPLES_PER_MS);
      const tail = since.subarray(Math.max(0, since.length - silenceMs * SAMPLES_PER_MS));
      const spoke = peak(since) > 1_000;
      return spoke && tail.length >= silenceMs * SAMPLES_PER_MS && peak(tail) < 200 ? true : undefined;
    });
  }

  async function record(sipCallId: string): Promise<{ call: Call; turns: Turn[] }> {
    const call = await waitFor('the record', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?limit=20');
      return page.body.items.find((item) => item.sip.call_id === sipCallId && item.status === 'completed');
    });
    const transcript = await stack.api<{ turns: Turn[] }>('GET', `/phone/calls/${call.id}/transcript`);
    return { call, turns: transcript.body.turns };
  }

  it('greets, answers a question from what it was told, and ends the call after the farewell', async () => {
    const call = await phone.call(DIALED);
    await untilQuiet(call, 0);
    expect(wordErrorRate(GREETING, await heard(call, 0))).toBeLessThanOrEqual(0.2);

    const asked = await clock(call);
    await call.play(await speech(QUESTION));
    await untilQuiet(call, asked);
    expect(wordErrorRate(HOURS, await heard(call, asked))).toBeLessThanOrEqual(0.3);

    const left = await clock(call);
    await call.play(await speech('Goodbye.'));
    const end = await call.ended;
    expect(end.by).toBe('them');
    const farewell = (await heard(call, left)).replace(/good[ -]bye/i, 'goodbye');
    expect(wordErrorRate(FAREWELL, farewell)).toBeLessThanOrEqual(0.25);

    const { call: stored, turns } = await record(call.sipCallId);
    expect(stored).toMatchObject({ disposition: 'answered', end_reason: 'agent_goodbye', ended_by: 'agent' });
    expect(stored.metrics.turn_latency_ms?.p50).toBeGreaterThan(0);
    expect(turns.map((turn) => turn.speaker)).toEqual(['agent', 'caller', 'agent', 'caller', 'agent']);
    expect(turns[0]?.text).toBe(GREETING);
    expect(wordErrorRate(QUESTION, turns[1]?.text ?? '')).toBeLessThanOrEqual(0.3);
    expect(turns[2]?.text).toBe(HOURS);
    expect(turns.every((turn) => turn.interrupted_at_ms === null && turn.end_ms > turn.start_ms)).toBe(true);
  }, 60_000);

  it('goes on when the caller speaks during the farewell', async () => {
    const call = await phone.call(DIALED);
    await untilQuiet(call, 0);
    const left = await clock(call);
    await call.play(await speech('Goodbye.'));
    await waitFor('the farewell', 10_000, async () => {
      const { pcm } = await call.recording();
      return peak(pcm.subarray(left * SAMPLES_PER_MS)) > 1_000 ? true : undefined;
    });
    await call.play(await speech('Sorry, what are your opening hours?'));
    const asked = await clock(call);
    await untilQuiet(call, asked);
    expect(call.over).toBe(false);
    expect(wordErrorRate(HOURS, await heard(call, asked))).toBeLessThanOrEqual(0.3);
    await call.hangup();

    const { call: stored, turns } = await record(call.sipCallId);
    expect(stored).toMatchObject({ end_reason: 'caller_hangup', ended_by: 'caller' });
    const cut = turns.find((turn) => turn.speaker === 'agent' && turn.interrupted_at_ms !== null);
    expect(cut).toBeDefined();
    expect(FAREWELL.startsWith(cut?.text ?? '-')).toBe(true);
  }, 60_000);

  it('hears nothing and misses nobody while the caller has it on hold', async () => {
    const call = await phone.call(DIALED);
    await untilQuiet(call, 0);
    expect(await call.hold(true)).toBe(200);
    // As music would: it must become no turn.
    await call.play(await speech(QUESTION));
    await sleep(SILENCE_TIMEOUT_MS);
    expect(await call.hold(false)).toBe(200);
    const resumed = await clock(call);
    await call.play(await speech(WORDY_QUESTION));
    await untilQuiet(call, resumed);
    await call.hangup();

    const { turns } = await record(call.sipCallId);
    expect(turns.map(({ speaker }) => speaker)).toEqual(['agent', 'caller', 'agent']);
    const understood: unknown = expect.stringMatching(/open|hours|nine|five|week/i);
    expect(turns.map(({ text }) => text)).toEqual([GREETING, understood, HOURS]);
  }, 60_000);

  it('goes on when the caller asks for an offer and never answers it, and refreshes its session', async () => {
    const call = await phone.call(DIALED, {
      headers: [
        ['Supported', 'timer'],
        ['Session-Expires', '90;refresher=uac'],
      ],
    });
    await untilQuiet(call, 0);
    const offered = await call.request('INVITE');
    expect(offered?.status).toBe(200);
    expect(offered?.body).toContain('m=audio ');
    expect(headerOf(offered!, 'session-expires')).toBe('90;refresher=uas');
    const update = await call.request('UPDATE');
    expect([update?.status, update?.body]).toEqual([200, '']);
    const asked = await clock(call);
    await call.play(await speech(QUESTION));
    await untilQuiet(call, asked);
    expect(wordErrorRate(HOURS, await heard(call, asked))).toBeLessThanOrEqual(0.3);
    expect(await call.hangup()).toBe(200);
    expect((await record(call.sipCallId)).call).toMatchObject({ end_reason: 'caller_hangup', ended_by: 'caller' });
  }, 60_000);

  it('stops speaking when it is interrupted and keeps only what was heard', async () => {
    const call = await phone.call(DIALED);
    await sleep(900);
    const interruption = speech(QUESTION);
    const started = await clock(call);
    await call.play(await interruption);
    await untilQuiet(call, started + 1_500);
    await call.hangup();

    const { turns } = await record(call.sipCallId);
    const [greeting] = turns;
    expect(greeting?.interrupted_at_ms).not.toBeNull();
    expect(GREETING.startsWith(greeting?.text ?? '-')).toBe(true);
    expect(greeting?.text.length).toBeLessThan(GREETING.length);
    expect(turns.some((turn) => turn.speaker === 'agent' && turn.text === HOURS)).toBe(true);
    const { pcm } = await call.recording();
    // 240 ms of speech from its onset, and the frames that were under way.
    const after = pcm.subarray((started + 700) * SAMPLES_PER_MS, (started + 1_100) * SAMPLES_PER_MS);
    expect(peak(after)).toBeLessThan(200);
  }, 60_000);
});

function peak(pcm: Int16Array): number {
  let max = 0;
  for (const sample of pcm) max = Math.max(max, Math.abs(sample));
  return max;
}

/** The recogniser wants what the ear would: speech with a little silence around it. */
function trimmed(pcm: Int16Array): Int16Array {
  const loud = (sample: number): boolean => Math.abs(sample) > 500;
  const padding = 200 * SAMPLES_PER_MS;
  const first = pcm.findIndex(loud);
  return first < 0 ? pcm : pcm.subarray(Math.max(0, first - padding), pcm.findLastIndex(loud) + padding);
}
