import { setTimeout as sleep } from 'node:timers/promises';

import { MoonshineStt } from '../../../media/agent/providers/moonshine/moonshine-stt';
import { CALLER_NUMBER, newNumber, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack, waitFor } from '../../support/stack';
import type { ApiAnswer } from '../../support/stack';

const SAMPLES_PER_MS = 8;
const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

interface NumberRecord {
  readonly id: string;
  readonly status: string;
  readonly call_id: string;
  readonly failure: { readonly code: string } | null;
}

describe('a number that is verified by a call', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let carrier: Phone;
  let ears: MoonshineStt;
  let calls: OutboundCalls;
  let trunkId: string;

  beforeAll(async () => {
    ears = new MoonshineStt();
    [stack] = await Promise.all([Stack.start(), ears.start()]);
    media = new PhoneMedia();
    carrier = await Phone.open({
      media,
      challenge: { username: TRUNK_USERNAME, password: TRUNK_PASSWORD },
      answer: () => ({ status: 200, ringMs: 200 }),
    });
    calls = await OutboundCalls.create(stack);
    trunkId = await calls.trunkTo(carrier.port);
  }, 90_000);

  afterAll(async () => {
    carrier?.close();
    await media?.close();
    await Promise.all([ears?.close(), stack?.stop()]);
  }, 60_000);

  const post = (phone_number: string): Promise<ApiAnswer<NumberRecord>> =>
    stack.api('POST', '/phone/numbers', { phone_number, method: 'outbound_code', trunk_id: trunkId });
  const find = async (id: string): Promise<NumberRecord> =>
    (await stack.api<NumberRecord>('GET', `/phone/numbers/${id}`)).body;
  const confirm = (id: string, code: string): Promise<ApiAnswer<NumberRecord & { code?: string }>> =>
    stack.api('POST', `/phone/numbers/${id}/confirm`, { code });
  /** INVITEs with credentials: the carrier challenges each call once. */
  const invites = (number: string): number =>
    carrier.invites.filter(({ user, authenticated }) => authenticated && user === number).length;

  /** The digits of each sentence that has six of them, as somebody hears them who listens to the whole call. */
  async function codesHeard(call: PhoneCall): Promise<string[]> {
    expect((await call.ended).by).toBe('them');
    const { pcm } = await call.recording();
    const codes: string[] = [];
    const texts: string[] = [];
    for (const part of spoken(pcm)) {
      const { text } = await ears.transcribe(part, { keyterms: [] });
      texts.push(text);
      const digits = text
        .toLowerCase()
        .replace(/[a-z]+/g, (word) => (DIGITS.includes(word) ? String(DIGITS.indexOf(word)) : ''))
        .replaceAll(/\D/g, '');
      if (digits.length >= 5) codes.push(digits);
    }
    if (codes.length !== 2) throw new Error(`heard no code twice: ${pcm.length} samples, ${JSON.stringify(texts)}`);
    return codes;
  }

  it('hears its code twice, which confirms it, and answers for an agent then', async () => {
    const number = newNumber();
    const { status, body } = await post(number);
    expect([status, body.status]).toEqual([201, 'pending']);
    const codes = await codesHeard(await carrier.nextCall());
    expect(codes).toHaveLength(2);
    // One of the two may be misheard, by people too.
    let answer: ApiAnswer<NumberRecord> | undefined;
    for (const code of new Set(codes.filter((digits) => digits.length === 6))) {
      answer = await confirm(body.id, code);
      if (answer.status === 200) break;
    }
    expect([codes, answer?.status, answer?.body.status]).toEqual([codes, 200, 'verified']);
    const assigned = await stack.api('PUT', `/phone/sip/agents/${calls.agentId}/inbound-numbers`, {
      phone_number_ids: [body.id],
    });
    expect(assigned.body).toMatchObject({ inbound_numbers: [{ id: body.id, phone_number: number }] });

    // The call is a call like any other, and nothing that is kept of it has the code.
    expect(await calls.ended(body.call_id)).toMatchObject({ disposition: 'answered', end_reason: 'agent_goodbye' });
    expect(invites(number)).toBe(1);
    const { turns } = (await stack.api<{ turns: { text: string }[] }>('GET', `/phone/calls/${body.call_id}/transcript`))
      .body;
    expect(turns.map(({ text }) => text)).toEqual([expect.stringContaining('[code]')]);
    const kept = JSON.stringify([await calls.find(body.call_id), await calls.events(body.call_id), turns, stack.log]);
    expect(codes.filter((code) => kept.includes(code) || kept.includes(code.split('').join(', ')))).toEqual([]);
  }, 90_000);

  it('is called once though API and worker are killed as soon as it was asked for', async () => {
    const number = newNumber();
    const { body } = await post(number);
    const killed = (['api', 'worker'] as const).map((name) => [name, stack.kill(name)] as const);
    for (const [name, pid] of killed) await stack.waitForNewPid(name, pid);
    const call = await carrier.nextCall();
    const [code] = await codesHeard(call);
    await stack.waitReady();
    expect(['pending', 'verified']).toContain((await find(body.id)).status);
    expect([200, 422]).toContain((await confirm(body.id, (code ?? '').padEnd(6, '0').slice(0, 6))).status);
    expect(invites(number)).toBe(1);
  }, 90_000);

  it('keeps waiting for its code when the media node dies under the call, and is called again when asked', async () => {
    const number = newNumber();
    const { body } = await post(number);
    await carrier.nextCall();
    await sleep(500);
    await stack.waitForNewPid('media', stack.kill('media'));
    await stack.waitReady();
    expect(await calls.until(body.call_id, 'completed', 20_000)).toMatchObject({ end_reason: 'media_node_lost' });
    expect(await find(body.id)).toMatchObject({ status: 'pending', failure: null });
    const again = (await post(number)).body;
    expect(again.id).toBe(body.id);
    expect(await codesHeard(await carrier.nextCall())).toHaveLength(2);
    expect(invites(number)).toBe(2);
  }, 90_000);

  it('is verified by a call that comes in on the trunk, which is answered as any other', async () => {
    const number = newNumber();
    const made = await stack.api<{ auth_username: string; auth_password: string }>('POST', '/phone/sip/inbound-trunk', {
      phone_numbers: [CALLER_NUMBER],
    });
    const { body } = await stack.api<NumberRecord & { method: string }>('POST', '/phone/numbers', {
      phone_number: number,
    });
    expect([body.method, body.status]).toEqual(['inbound_call', 'pending']);
    await stack.api('POST', '/phone', { name: 'Reception', first_message: 'Hello.' });
    await sleep(1_000);
    const phone = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: made.body.auth_username, password: made.body.auth_password },
    });
    try {
      const call = await phone.call(number.slice(1));
      await waitFor('the number verified', 10_000, async () =>
        (await find(body.id)).status === 'verified' ? true : undefined,
      );
      expect(await call.hangup()).toBe(200);
    } finally {
      phone.close();
    }
  }, 60_000);
});

/** What is said between pauses, each with a little silence around it as the recogniser wants it. */
function spoken(pcm: Int16Array): Int16Array[] {
  const pause = 450 * SAMPLES_PER_MS;
  const padding = 200 * SAMPLES_PER_MS;
  const parts: Int16Array[] = [];
  let from = -1;
  let last = -1;
  const cut = (): void => {
    if (from >= 0) parts.push(pcm.slice(Math.max(0, from - padding), last + padding));
    from = -1;
  };
  pcm.forEach((sample, at) => {
    if (Math.abs(sample) < 500) return;
    if (from >= 0 && at - last > pause) cut();
    if (from < 0) from = at;
    last = at;
  });
  cut();
  return parts;
}
