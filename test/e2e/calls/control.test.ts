/** A live call is told something by the API; what comes of it is heard by the caller's phone. */
import { setTimeout as sleep } from 'node:timers/promises';

import { MoonshineStt } from '../../../media/agent/providers/moonshine/moonshine-stt';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';
import { wordErrorRate } from '../../support/word-error-rate';

const DIALED = '+15551234567';
const NEWS = 'Your order has left our warehouse this morning.';
const SAMPLES_PER_MS = 8;

interface Call {
  readonly id: string;
  readonly status: string;
  readonly sip: { readonly call_id: string };
}

describe('a live call that is told something', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let phone: Phone;
  let ears: MoonshineStt;

  beforeAll(async () => {
    ears = new MoonshineStt();
    [stack] = await Promise.all([Stack.start(), ears.start()]);
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: '', silence_timeout_seconds: 60 });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
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
    await Promise.all([ears?.close(), stack?.stop()]);
  }, 60_000);

  async function answered(): Promise<{ call: PhoneCall; path: string }> {
    const call = await phone.call(DIALED);
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === call.sipCallId);
    });
    return { call, path: `/phone/calls/${id}` };
  }

  const clock = async (call: PhoneCall): Promise<number> => (await call.recording()).pcm.length / SAMPLES_PER_MS;

  const peakSince = async (call: PhoneCall, ms: number): Promise<number> =>
    (await call.recording()).pcm.subarray(ms * SAMPLES_PER_MS).reduce((a, b) => Math.max(a, Math.abs(b)), 0);

  it('says it: answered with its first sound, heard by the caller, in the transcript', async () => {
    const { call, path } = await answered();
    const before = await clock(call);
    const told = await stack.api('POST', `${path}/say`, { text: NEWS });
    expect(told.status).toBe(200);
    await sleep(5_000);
    const { pcm } = await call.recording();
    const { text } = await ears.transcribe(pcm.slice(before * SAMPLES_PER_MS), { keyterms: [] });
    expect(wordErrorRate(NEWS, text)).toBeLessThanOrEqual(0.3);
    await call.hangup();
    const turns = await waitFor('the transcript', 15_000, async () => {
      const transcript = await stack.api<{ turns: { text: string }[] }>('GET', `${path}/transcript`);
      return transcript.body.turns.length > 0 ? transcript.body.turns : undefined;
    });
    expect(turns.map((turn) => turn.text)).toEqual([NEWS]);
  }, 60_000);

  it('presses keys: each is one telephone-event for the phone, and the answer comes after the last', async () => {
    const { call, path } = await answered();
    const told = await stack.api('POST', `${path}/dtmf`, { digits: '42w#' });
    expect(told.status).toBe(200);
    const pressed = (await call.recording()).pressed;
    expect(pressed).toBe('42#');
    await call.hangup();
    const event = await waitFor('the event', 15_000, async () => {
      const { body } = await stack.api<{ items: { type: string; data: object }[] }>('GET', `${path}/events?limit=100`);
      return body.items.find(({ type }) => type === 'command');
    });
    expect(event.data).toEqual({ command_id: expect.any(String), verb: 'dtmf', outcome: 'done' });
  }, 60_000);

  it('keeps a muted agent silent, and says why it cannot say anything', async () => {
    const { call, path } = await answered();
    expect((await stack.api('POST', `${path}/say`, { text: `${NEWS} ${NEWS}` })).status).toBe(200);
    expect((await stack.api('POST', `${path}/mute`)).status).toBe(200);
    await sleep(500);
    const muted = await clock(call);
    const refused = await stack.api<{ code: string }>('POST', `${path}/say`, { text: NEWS });
    expect([refused.status, refused.body.code]).toEqual([409, 'muted']);
    await sleep(2_000);
    expect(await peakSince(call, muted)).toBeLessThan(200);
    expect((await stack.api('POST', `${path}/unmute`)).status).toBe(200);
    expect((await stack.api('POST', `${path}/say`, { text: NEWS })).status).toBe(200);
    await sleep(1_000);
    expect(await peakSince(call, muted)).toBeGreaterThan(1_000);
    await call.hangup();
  }, 60_000);

  it('refuses what comes too late, and what it cannot read', async () => {
    const { call, path } = await answered();
    const bad = await stack.api<{ code: string }>('POST', `${path}/dtmf`, { digits: '12x' });
    expect([bad.status, bad.body.code]).toEqual([400, 'validation_failed']);
    await call.hangup();
    await waitFor('the end', 15_000, async () => {
      const { body } = await stack.api<Call>('GET', path);
      return body.status === 'completed' ? true : undefined;
    });
    const late = await stack.api<{ code: string }>('POST', `${path}/mute`);
    expect([late.status, late.body.code]).toEqual([409, 'ended']);
  }, 60_000);
});
