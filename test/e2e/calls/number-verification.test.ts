import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { MoonshineStt } from '../../../media/agent/providers/moonshine/moonshine-stt';
import { numberCode } from '../../../store/number-code';
import { SecretBox } from '../../../store/secrets';
import { CALLER_NUMBER, newNumber, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack } from '../../support/stack';
import type { ApiAnswer } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const SAMPLES_PER_MS = 8;
const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
/** What the recogniser makes of single digits, besides. */
const MISHEARD = new Map<string, string>([
  ...['date', 'bit', 'eat', 'ate', 'aid', 'late', 'hate', 'bait'].map((word) => [word, '8'] as const),
  ...['to', 'too'].map((word) => [word, '2'] as const),
  ['won', '1'],
  ['for', '4'],
  ['oh', '0'],
]);
/** Of six, in their order: it misses one or the other, and tells it from any other code. */
const LEAST_HEARD = 4;

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

  /** Follows from the server's key: no answer, log or table has it. */
  function codeOf(numberId: string, n = 1): string {
    const key = readFileSync(join(stack.dataDir, 'secrets-key'), 'utf8').trim();
    return numberCode(new SecretBox(key), { numberId, n });
  }

  /** Somebody who listens to the whole call hears the code in two of its sentences. */
  async function expectHeardTwice(call: PhoneCall, code: string): Promise<void> {
    expect((await call.ended).by).toBe('them');
    const { pcm } = await call.recording();
    const heard: { text: string; digits: string }[] = [];
    for (const part of spoken(pcm)) {
      const { text } = await ears.transcribe(part, { keyterms: [] });
      if (/verification|code/i.test(text)) heard.push({ text, digits: digitsOf(text) });
    }
    const enough = heard.filter(({ digits }) => inOrder(digits, code) >= LEAST_HEARD);
    expect([heard, enough.length]).toEqual([heard, 2]);
  }

  it('hears its code twice, which confirms it, and answers for an agent then', async () => {
    const number = newNumber();
    const { status, body } = await post(number);
    expect([status, body.status]).toEqual([201, 'pending']);
    const code = codeOf(body.id);
    await expectHeardTwice(await carrier.nextCall(), code);
    const answer = await confirm(body.id, code);
    expect([answer.status, answer.body.status]).toEqual([200, 'verified']);
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
    expect([kept.includes(code), kept.includes(code.split('').join(', '))]).toEqual([false, false]);
  }, 90_000);

  it('is called once though API and worker are killed as soon as it was asked for', async () => {
    const number = newNumber();
    const { body } = await post(number);
    const killed = (['api', 'worker'] as const).map((name) => [name, stack.kill(name)] as const);
    for (const [name, pid] of killed) await stack.waitForNewPid(name, pid);
    const call = await carrier.nextCall();
    await expectHeardTwice(call, codeOf(body.id));
    await stack.waitReady();
    expect((await find(body.id)).status).toBe('pending');
    expect((await confirm(body.id, codeOf(body.id))).body.status).toBe('verified');
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
    await expectHeardTwice(await carrier.nextCall(), codeOf(body.id, 2));
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

function digitsOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[a-z]+/g, (word) => (DIGITS.includes(word) ? String(DIGITS.indexOf(word)) : (MISHEARD.get(word) ?? '')))
    .replaceAll(/\D/g, '');
}

/** How many characters of `code` stand in `heard` in their order: their longest common subsequence. */
function inOrder(heard: string, code: string): number {
  let best = Array<number>(code.length + 1).fill(0);
  for (const digit of heard.split('')) {
    const next = [0];
    for (let i = 0; i < code.length; i++) {
      next.push(Math.max(best[i + 1] ?? 0, next[i] ?? 0, (best[i] ?? 0) + (code[i] === digit ? 1 : 0)));
    }
    best = next;
  }
  return best[code.length] ?? 0;
}
