/** A live call is put on hold by the API: what the other side's phone sees and hears of it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { MoonshineStt } from '../../../media/agent/providers/moonshine/moonshine-stt';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';
import { wordErrorRate } from '../../support/word-error-rate';

const DIALED = '+15551234567';
/** Longer than a busy machine takes to put a call on hold. */
const NEWS =
  'Your order has left our warehouse this morning. It is on its way by train, and will be with you on Friday.';
const MORE = 'Thank you for waiting so long.';
const SAMPLES_PER_MS = 8;

interface Call {
  readonly id: string;
  readonly status: string;
  readonly sip: { readonly call_id: string };
}

const directionOf = (sdp: string | undefined): string | undefined =>
  /^a=(send\w+|recvonly|inactive)/m.exec(sdp ?? '')?.[1];
const versionOf = (sdp: string | undefined): number => Number(/^o=\S+ \S+ (\d+)/m.exec(sdp ?? '')?.[1]);

describe('a call on hold', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let phone: Phone;
  let ears: MoonshineStt;

  beforeAll(async () => {
    ears = new MoonshineStt();
    [stack] = await Promise.all([Stack.start(), ears.start()]);
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: '', silence_timeout_seconds: 5 });
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

  async function heard(call: PhoneCall, fromMs: number, toMs?: number): Promise<{ text: string; peak: number }> {
    const end = toMs === undefined ? undefined : toMs * SAMPLES_PER_MS;
    const pcm = (await call.recording()).pcm.slice(fromMs * SAMPLES_PER_MS, end);
    const { text } = await ears.transcribe(pcm, { keyterms: [] });
    return { text, peak: pcm.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
  }

  const statusOf = async (path: string): Promise<string> => (await stack.api<Call>('GET', path)).body.status;

  it('hears music and no agent, whose words and patience wait; then it goes on', async () => {
    const { call, path } = await answered();
    const began = await clock(call);
    expect((await stack.api('POST', `${path}/say`, { text: NEWS })).status).toBe(200);
    await sleep(500);
    const hold = await stack.api<Call>('POST', `${path}/hold`);
    expect([hold.status, hold.body.status]).toEqual([200, 'held']);
    expect(directionOf(call.reoffers[0])).toBe('sendonly');
    await sleep(200);
    const held = await clock(call);
    const refused = await stack.api<{ code: string; call_status: string }>('POST', `${path}/say`, { text: NEWS });
    expect([refused.status, refused.body.code, refused.body.call_status]).toEqual([409, 'on_hold', 'held']);
    expect((await stack.api('POST', `${path}/hold`)).status).toBe(200);
    // Longer than the agent's patience, and than what it had to say.
    await sleep(7_000);
    const resumed = await clock(call);
    const music = await heard(call, held, held + 5_000);
    expect(music.peak).toBeGreaterThan(300);
    expect(wordErrorRate('are you still there', music.text)).toBeGreaterThan(0.7);
    expect(music.text).not.toMatch(/order|train|friday/i);
    const unhold = await stack.api<Call>('POST', `${path}/unhold`);
    expect([unhold.status, unhold.body.status]).toEqual([200, 'in_progress']);
    expect(call.reoffers.map(directionOf)).toEqual(['sendonly', 'sendrecv']);
    expect(versionOf(call.reoffers[1])).toBe(versionOf(call.reoffers[0]) + 1);
    await sleep(8_000);
    // It was speaking when it was held, and has said the rest: each word once.
    expect((await heard(call, began, held)).peak).toBeGreaterThan(8_000);
    const after = (await heard(call, resumed)).text;
    expect(after).toMatch(/train.*friday/i);
    expect(after).not.toMatch(/your order/i);
    expect((await stack.api('POST', `${path}/say`, { text: MORE })).status).toBe(200);
    await sleep(3_000);
    await call.hangup();
    const turns = await waitFor('the transcript', 15_000, async () => {
      const { body } = await stack.api<{ turns: { text: string }[] }>('GET', `${path}/transcript`);
      return body.turns.some(({ text }) => text === MORE) ? body.turns : undefined;
    });
    // Between the two its patience may have run out, as it does when nobody holds.
    expect(turns[0]?.text).toBe(NEWS);
  }, 90_000);

  it('is held by both, and resumed by both', async () => {
    const { call, path } = await answered();
    expect(await call.hold(true)).toBe(200);
    await waitFor('the hold of the phone', 5_000, async () => ((await statusOf(path)) === 'held' ? true : undefined));
    expect((await stack.api('POST', `${path}/hold`)).status).toBe(200);
    expect(await call.hold(false)).toBe(200);
    await sleep(1_000);
    expect(await statusOf(path)).toBe('held');
    expect((await stack.api<Call>('POST', `${path}/unhold`)).body.status).toBe('in_progress');
    await call.hangup();
  }, 60_000);

  it('is none that the phone refuses: told why, and as it was', async () => {
    const { call, path } = await answered();
    call.answerReoffer = () => 488;
    const hold = await stack.api<{ code: string; call_status: string }>('POST', `${path}/hold`);
    expect([hold.status, hold.body]).toMatchObject([
      409,
      { code: 'failed', call_status: 'in_progress', sip_status: 488 },
    ]);
    expect(await statusOf(path)).toBe('in_progress');
    const before = await clock(call);
    expect((await stack.api('POST', `${path}/say`, { text: MORE })).status).toBe(200);
    await sleep(3_000);
    expect(wordErrorRate(MORE, (await heard(call, before)).text)).toBeLessThanOrEqual(0.4);
    await call.hangup();
  }, 60_000);

  it.each(['worker', 'api', 'temporal'] as const)(
    'was asked for once, whatever a kill -9 of the %s meanwhile lets be known of it',
    async (name) => {
      const { call, path } = await answered();
      let asked: () => void = () => undefined;
      const reoffered = new Promise<void>((resolve) => (asked = resolve));
      call.answerReoffer = async () => {
        asked();
        await sleep(1_500);
        return 200;
      };
      const answer = stack.api<{ code?: string; status?: string }>('POST', `${path}/hold`).catch(() => null);
      await reoffered;
      const pid = stack.kill(name);
      const told = await answer;
      // The API's own death cuts the answer off.
      const known = told === null ? 'cut off' : (told.body.code ?? told.body.status);
      expect([name === 'api' ? 'cut off' : 'outcome_unknown', 'held']).toContain(known);
      await stack.waitForNewPid(name, pid, 30_000);
      await stack.waitReady(30_000);
      await waitFor('the hold', 5_000, async () => ((await statusOf(path)) === 'held' ? true : undefined));
      expect(call.reoffers).toHaveLength(1);
      call.answerReoffer = () => 200;
      const again = (verb: string): Promise<true> =>
        waitFor(verb, 30_000, async () =>
          (await stack.api('POST', `${path}/${verb}`)).status === 200 ? true : undefined,
        );
      await again('hold');
      expect(call.reoffers).toHaveLength(1);
      await again('unhold');
      expect(call.reoffers.map(directionOf)).toEqual(['sendonly', 'sendrecv']);
      expect(call.over).toBe(false);
      await call.hangup();
    },
    120_000,
  );
});
