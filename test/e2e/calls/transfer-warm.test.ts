/** A caller is handed over to somebody who is asked first: who hears what of it, and what is left of each outcome. */
import { setTimeout as sleep } from 'node:timers/promises';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { holdMusic } from '../../../media/audio/hold-music';
import { spokenBy } from '../../support/agent/text-to-speech-contract';
import { newNumber, OutboundCalls } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { Answering, PhoneOptions } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack, waitFor } from '../../support/stack';
import { amplitudeAt, rms, sine } from '../../support/tones';

const DIALED = '+15551234567';
const CALLER_USER = '+15557654321';
const SAMPLES_PER_MS = 8;
const CALLER_HZ = 700;
const FAR_HZ = 1_150;
const AMPLITUDE = 6_000;
const LOUD = 100;
/** Samples of a piece of music that is looked for, and of those that are compared at first. */
const WINDOW = 1_600;
const COARSE = 16;
const BRIEFING = 'There is a caller here who would like to know everything about the warm transfer of telephone calls.';

interface Transfer {
  readonly mode: string;
  readonly outcome: string | null;
  readonly sip_status: number | null;
  readonly duration_ms: number | null;
  readonly failed_step: string | null;
}

interface Call {
  readonly id: string;
  readonly status: string;
  readonly end_reason: string | null;
  readonly sip: { readonly call_id: string };
  readonly transfer: Transfer | null;
}

describe('a warm transfer', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let caller: Phone;
  let far: Phone;
  let answering: Answering;

  beforeAll(async () => {
    stack = await Stack.start();
    await stack.api('POST', '/phone', { name: 'Ada', first_message: '', silence_timeout_seconds: 60 });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    media = new PhoneMedia();
    caller = await Phone.open({
      media,
      user: CALLER_USER,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    });
    far = await openFar();
    const calls = await OutboundCalls.create(stack);
    await calls.trunkTo(far.port);
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    caller?.close();
    far?.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  beforeEach(() => {
    answering = { status: 200, ringMs: 1_500 };
  });

  /** What a test that failed has left. */
  afterEach(async () => {
    await Promise.all([...caller.calls.values(), ...far.calls.values()].map((call) => call.hangup()));
  });

  /** The other codec than the caller's. */
  const openFar = (more: Partial<PhoneOptions> = {}): Promise<Phone> =>
    Phone.open({ media, codecs: ['PCMA'], answer: () => answering, ...more });

  async function answered(): Promise<{ phone: PhoneCall; path: string }> {
    const phone = await caller.call(DIALED);
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === phone.sipCallId);
    });
    return { phone, path: `/phone/calls/${id}` };
  }

  const find = async (path: string): Promise<Call> => (await stack.api<Call>('GET', path)).body;

  async function transfer(path: string, body: object = {}): Promise<void> {
    const given = { type: 'phone', value: newNumber(), mode: 'warm', briefing: BRIEFING, ...body };
    const answer = await stack.api('POST', `${path}/transfer`, given);
    expect([answer.status, answer.body]).toEqual([200, { transfer_id: expect.any(String) }]);
  }

  const outcomeOf = (path: string, limitMs = 15_000): Promise<Transfer> =>
    waitFor('the outcome', limitMs, async () => {
      const { transfer: last } = await find(path);
      return last !== null && last.outcome !== null ? last : undefined;
    });

  const ended = (path: string): Promise<Call> =>
    waitFor('the end of the call', 15_000, async () => {
      const call = await find(path);
      return call.status === 'completed' ? call : undefined;
    });

  /** What a phone hears from now on, for so long. */
  async function hears(call: PhoneCall, ms: number): Promise<Int16Array> {
    const before = (await call.recording()).pcm.length;
    await sleep(ms);
    return (await call.recording()).pcm.slice(before);
  }

  /** Each plays a tone of its own, and hears the other's and not its own. */
  async function expectTwoWayAudio(one: PhoneCall, other: PhoneCall): Promise<void> {
    void one.play(sine(CALLER_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
    void other.play(sine(FAR_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
    await sleep(600);
    const [first, second] = await Promise.all([hears(one, 1_000), hears(other, 1_000)]);
    // What is played may begin later on a busy machine.
    expect(amplitudeAt(first, FAR_HZ)).toBeGreaterThan(AMPLITUDE / 4);
    expect(amplitudeAt(first, CALLER_HZ)).toBeLessThan(AMPLITUDE / 20);
    expect(amplitudeAt(second, CALLER_HZ)).toBeGreaterThan(AMPLITUDE / 4);
    expect(amplitudeAt(second, FAR_HZ)).toBeLessThan(AMPLITUDE / 20);
  }

  const stepsOf = async (path: string): Promise<unknown[]> => {
    const { body } = await stack.api<{ items: { type: string; data: { step: string; by: string | null } }[] }>(
      'GET',
      `${path}/events?limit=100`,
    );
    return body.items.flatMap(({ type, data }) => (type === 'consult' ? [[data.step, data.by]] : []));
  };

  /** An event may be read a moment later than what came of it. */
  async function lastStepIs(path: string, last: readonly [string, string | null]): Promise<void> {
    await waitFor(`a consult that ends with ${last.join(' by ')}`, 5_000, async () => {
      const steps = await stepsOf(path);
      return JSON.stringify(steps.at(-1)) === JSON.stringify(last) ? true : undefined;
    });
  }

  async function legsLeft(): Promise<void> {
    await waitFor('no leg to be left', 5_000, async () =>
      [...caller.calls.values(), ...far.calls.values()].every(({ over }) => over) ? true : undefined,
    );
  }

  /** Somebody has answered, and is being told: a key that is pressed now is heard. */
  async function briefed(): Promise<PhoneCall> {
    const there = await far.nextCall();
    await waitFor('the briefing', 15_000, async () => (rms(await hears(there, 200)) > LOUD ? true : undefined));
    return there;
  }

  /** Somebody has answered, and has been told and asked. */
  async function asked(path: string): Promise<PhoneCall> {
    const there = await far.nextCall();
    await waitFor('the question', 30_000, async () => {
      const steps = await stepsOf(path);
      return steps.length === 2 ? steps : undefined;
    });
    return there;
  }

  /** The agent says why, and goes on. */
  async function expectBackWithAgent(phone: PhoneCall, path: string): Promise<void> {
    expect((await find(path)).status).toBe('in_progress');
    const { text } = await waitFor('the sentence in the transcript', 15_000, async () => {
      const { body } = await stack.api<{ turns: { text: string }[] }>('GET', `${path}/transcript`);
      return body.turns.find((turn) => turn.text.includes('You are back with me'));
    });
    expect(text).toMatch(/^I am sorry, the person I called cannot take the call right now/);
    expect((await stack.api('POST', `${path}/say`, { text: 'Can I help you otherwise?' })).status).toBe(200);
    await phone.hangup();
    expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    await legsLeft();
  }

  it('joins the caller to whoever accepts by key; until then the caller hears music, and nothing of the briefing', async () => {
    const { phone, path } = await answered();
    await transfer(path);
    const there = await far.nextCall();
    // The briefing is heard there, the caller has music; neither hears the other.
    void phone.play(sine(CALLER_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
    void there.play(sine(FAR_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
    await sleep(500);
    const [music, briefing] = await Promise.all([hears(phone, 3_000), hears(there, 3_000)]);
    await there.sendDigits('1');
    expect(await outcomeOf(path)).toMatchObject({
      mode: 'warm',
      outcome: 'transferred',
      sip_status: 200,
      failed_step: null,
      duration_ms: expect.any(Number),
    });
    await expectTwoWayAudio(phone, there);
    await lastStepIs(path, ['accepted', 'key']);
    expect((await stepsOf(path))[0]).toEqual(['answered', null]);
    await phone.hangup();
    expect((await there.ended).by).toBe('them');
    expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
    await legsLeft();
    expect(rms(briefing)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(briefing, CALLER_HZ)).toBeLessThan(AMPLITUDE / 20);
    expect(rms(music)).toBeGreaterThan(LOUD);
    expect(besidesMusic(music)).toBeLessThan(0.05);
    // Which a voice, or the other's tone, in place of it would not be.
    expect(besidesMusic(briefing)).toBeGreaterThan(0.5);
  }, 60_000);

  it('joins the caller to whoever says yes, and takes the key by INFO too', async () => {
    const voice = new FliteTts();
    await voice.start();
    const yes = await spokenBy(voice, 'Yes, I accept.', 'rms');
    await voice.close();
    const { phone, path } = await answered();
    await transfer(path);
    const there = await asked(path);
    await there.play(yes);
    expect(await outcomeOf(path)).toMatchObject({ outcome: 'transferred' });
    await lastStepIs(path, ['accepted', 'word']);
    await expectTwoWayAudio(phone, there);
    await there.hangup();
    expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
    const next = await answered();
    await transfer(next.path);
    const second = await briefed();
    expect((await second.request('INFO', 'Signal=1\r\nDuration=160\r\n', 'application/dtmf-relay'))?.status).toBe(200);
    expect(await outcomeOf(next.path)).toMatchObject({ outcome: 'transferred' });
    await next.phone.hangup();
    await legsLeft();
  }, 90_000);

  it.each([
    ['presses 2', 'key', (there: PhoneCall) => there.sendDigits('2')],
    ['hangs up', 'hangup', (there: PhoneCall) => there.hangup()],
  ] as const)(
    'brings the caller back to the agent when whoever was called %s',
    async (_, by, decline) => {
      const { phone, path } = await answered();
      await transfer(path);
      const there = await briefed();
      // Hung up, a phone does not come to the end of its key.
      void decline(there);
      expect(await outcomeOf(path)).toMatchObject({
        mode: 'warm',
        outcome: 'declined',
        sip_status: 200,
        failed_step: 'consult',
      });
      expect((await there.ended).by).toBe(by === 'hangup' ? 'us' : 'them');
      await lastStepIs(path, ['declined', by]);
      await expectBackWithAgent(phone, path);
    },
    60_000,
  );

  it('asks once more after 20 s of silence, and takes more of it for a no', async () => {
    const { phone, path } = await answered();
    await transfer(path, { briefing: 'A call.' });
    const there = await asked(path);
    const askedAt = performance.now();
    await sleep(2_000);
    expect(rms(await hears(there, 10_000))).toBeLessThan(LOUD);
    await waitFor('the question again', 15_000, async () => (rms(await hears(there, 500)) > LOUD ? true : undefined));
    expect(performance.now() - askedAt).toBeGreaterThan(18_000);
    expect(await outcomeOf(path, 40_000)).toMatchObject({ outcome: 'declined', failed_step: 'consult' });
    expect(performance.now() - askedAt).toBeGreaterThan(40_000);
    expect((await there.ended).by).toBe('them');
    await lastStepIs(path, ['declined', 'silence']);
    await expectBackWithAgent(phone, path);
  }, 120_000);

  it('fails as a bridge does where nobody answers', async () => {
    const { phone, path } = await answered();
    answering = { status: 486 };
    await transfer(path);
    expect(await outcomeOf(path)).toMatchObject({
      mode: 'warm',
      outcome: 'busy',
      sip_status: 486,
      failed_step: 'dial',
    });
    await phone.hangup();
    await ended(path);
    await legsLeft();
  }, 60_000);

  it.each(['ringing', 'being told'])(
    'lets go of whoever is %s at once when the caller hangs up',
    async (step) => {
      const { phone, path } = await answered();
      if (step === 'ringing') answering = { ring: 'forever' };
      const number = newNumber();
      await transfer(path, { value: number });
      const invite = await waitFor('the leg to ring', 5_000, () =>
        Promise.resolve(far.invites.find(({ user }) => user === number)),
      );
      const there = step === 'ringing' ? null : await far.nextCall();
      await sleep(500);
      const hungUpAt = performance.now();
      void phone.hangup();
      if (there !== null) await there.ended;
      else {
        await waitFor('the CANCEL', 2_000, () =>
          Promise.resolve(far.cancelled.includes(invite.sipCallId) ? true : undefined),
        );
      }
      expect(performance.now() - hungUpAt).toBeLessThan(500);
      expect(await ended(path)).toMatchObject({
        end_reason: 'caller_hangup',
        transfer: { outcome: 'call_ended', failed_step: 'consult' },
      });
      await legsLeft();
    },
    60_000,
  );

  it.each([
    ['worker', 'ringing'],
    ['api', 'ringing'],
    ['temporal', 'ringing'],
    ['worker', 'asked'],
    ['api', 'asked'],
    ['temporal', 'asked'],
  ] as const)(
    'calls and joins once when the %s dies while somebody is %s',
    async (name, step) => {
      const { phone, path } = await answered();
      const number = newNumber();
      answering = { status: 200, ringMs: step === 'ringing' ? 4_000 : 500 };
      await transfer(path, { value: number });
      await waitFor('the leg to ring', 5_000, () =>
        Promise.resolve(far.invites.some(({ user }) => user === number) ? true : undefined),
      );
      let there = step === 'ringing' ? null : await asked(path);
      const pid = stack.kill(name);
      there ??= await briefed();
      // Asked, answered and joined whether it is back or not.
      await there.sendDigits('1');
      await expectTwoWayAudio(phone, there);
      await stack.waitForNewPid(name, pid, 30_000);
      await stack.waitReady(30_000);
      expect(await outcomeOf(path, 60_000)).toMatchObject({ outcome: 'transferred' });
      expect(far.invites.filter(({ user }) => user === number)).toHaveLength(1);
      await there.hangup();
      expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
      await legsLeft();
    },
    150_000,
  );

  it('of a pair the caller can be held, with music for both, and keys by INFO are pressed for the other', async () => {
    const { phone, path } = await answered();
    await transfer(path);
    const there = await briefed();
    await there.sendDigits('1');
    await outcomeOf(path);
    await expectTwoWayAudio(phone, there);
    expect((await stack.api('POST', `${path}/hold`)).status).toBe(200);
    expect((await find(path)).status).toBe('held');
    void phone.play(sine(CALLER_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
    void there.play(sine(FAR_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
    await sleep(500);
    const waiting = await Promise.all([hears(phone, 2_000), hears(there, 2_000)]);
    expect((await stack.api('POST', `${path}/unhold`)).status).toBe(200);
    await sleep(1_000);
    await expectTwoWayAudio(phone, there);
    const before = (await there.recording()).pressed;
    expect((await phone.request('INFO', 'Signal=7\r\nDuration=160\r\n', 'application/dtmf-relay'))?.status).toBe(200);
    await waitFor('the key at the other end', 5_000, async () => {
      const { pressed } = await there.recording();
      return pressed.slice(before.length) === '7' ? pressed : undefined;
    });
    await there.hangup();
    await ended(path);
    await legsLeft();
    // Takes seconds, and nothing else goes on meanwhile.
    for (const heard of waiting) {
      expect(rms(heard)).toBeGreaterThan(LOUD);
      expect(besidesMusic(heard)).toBeLessThan(0.05);
    }
  }, 60_000);
});

/**
 * Share of the energy of what was heard that is not the music, wherever it stands in it and however it is coded: of the
 * middle one of all windows, since a packet that comes late moves or breaks one.
 */
function besidesMusic(pcm: Int16Array): number {
  const loop = holdMusic(8_000);
  const music = new Int16Array(loop.length + WINDOW);
  music.set(loop);
  music.set(loop.subarray(0, WINDOW), loop.length);
  const shares: number[] = [];
  for (let from = 0; from + WINDOW <= pcm.length; from += WINDOW) {
    const window = pcm.subarray(from, from + WINDOW);
    const near = bestFit(window, music, { from: 0, to: loop.length, stride: COARSE });
    shares.push(bestFit(window, music, { from: near.at - COARSE, to: near.at + COARSE, stride: 1 }).share);
  }
  return shares.sort((a, b) => a - b)[shares.length >> 1] ?? 1;
}

/** @param search where it may begin; `stride`: of the samples that are compared */
function bestFit(
  window: Int16Array,
  music: Int16Array,
  { from, to, stride }: { readonly from: number; readonly to: number; readonly stride: number },
): { readonly at: number; readonly share: number } {
  let best = { at: 0, rest: Infinity };
  for (let at = Math.max(0, from); at < to && at + window.length <= music.length; at++) {
    let rest = 0;
    for (let i = 0; i < window.length && rest < best.rest; i += stride) rest += (window[i]! - music[at + i]!) ** 2;
    if (rest < best.rest) best = { at, rest };
  }
  const energy = window.reduce((sum, sample) => sum + sample * sample, 0);
  return { at: best.at, share: energy === 0 ? 1 : best.rest / energy };
}
