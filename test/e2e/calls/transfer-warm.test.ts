/** A caller is handed over to somebody who is asked first: who hears what of it, and what is left of each outcome. */
import { setTimeout as sleep } from 'node:timers/promises';

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
/** Nothing of the voice that briefs; music has its like of single frequencies all the same. */
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
    expect(amplitudeAt(first, FAR_HZ)).toBeGreaterThan(AMPLITUDE / 2);
    expect(amplitudeAt(first, CALLER_HZ)).toBeLessThan(AMPLITUDE / 20);
    expect(amplitudeAt(second, CALLER_HZ)).toBeGreaterThan(AMPLITUDE / 2);
    expect(amplitudeAt(second, FAR_HZ)).toBeLessThan(AMPLITUDE / 20);
  }

  const stepsOf = async (path: string): Promise<unknown[]> => {
    const { body } = await stack.api<{ items: { type: string; data: { step: string; by: string | null } }[] }>(
      'GET',
      `${path}/events?limit=100`,
    );
    return body.items.flatMap(({ type, data }) => (type === 'consult' ? [[data.step, data.by]] : []));
  };

  async function legsLeft(): Promise<void> {
    await waitFor('no leg to be left', 5_000, async () =>
      [...caller.calls.values(), ...far.calls.values()].every(({ over }) => over) ? true : undefined,
    );
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
    expect(rms(music)).toBeGreaterThan(LOUD);
    expect(rms(briefing)).toBeGreaterThan(LOUD);
    expect(amplitudeAt(music, FAR_HZ)).toBeLessThan(AMPLITUDE / 20);
    expect(amplitudeAt(briefing, CALLER_HZ)).toBeLessThan(AMPLITUDE / 20);
    await there.sendDigits('1');
    expect(await outcomeOf(path)).toMatchObject({
      mode: 'warm',
      outcome: 'transferred',
      sip_status: 200,
      failed_step: null,
      duration_ms: expect.any(Number),
    });
    await expectTwoWayAudio(phone, there);
    expect(await stepsOf(path)).toEqual([
      ['answered', null],
      ['accepted', 'key'],
    ]);
    await phone.hangup();
    expect((await there.ended).by).toBe('them');
    expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
    await legsLeft();
  }, 60_000);
});
