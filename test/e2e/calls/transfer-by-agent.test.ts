/** A caller is handed over by the conversation itself: by words, by a key, to a person, or because nothing else is left. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { ChatCompletionsServer, stop, streamed, text, toolCall } from '../../fakes/chat-completions-server';
import { newNumber, OutboundCalls } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { Answering } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack, waitFor } from '../../support/stack';
import { amplitudeAt, sine } from '../../support/tones';

const DIALED = '+15551234567';
const SAMPLES_PER_MS = 8;
const TONE_HZ = 1_150;
const AMPLITUDE = 6_000;
const NO_RECOGNISER = pathToFileURL(join(__dirname, '..', '..', 'fixtures', 'no-recogniser.mjs')).href;

interface Call {
  readonly id: string;
  readonly status: string;
  readonly end_reason: string | null;
  readonly sip: { readonly call_id: string };
  readonly transfer: {
    readonly id: string;
    readonly by: string;
    readonly mode: string;
    readonly outcome: string | null;
  } | null;
}

interface Event {
  readonly type: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

describe('a transfer that the conversation wishes', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let caller: Phone;
  let far: Phone;
  let voice: FliteTts;
  let agentId: string;
  let billing: string;
  let answering: Answering;
  const handoff = newNumber();

  beforeAll(async () => {
    voice = new FliteTts();
    [stack] = await Promise.all([Stack.start(), voice.start()]);
    const agent = await stack.api<{ id: string; warnings?: { path: string }[] }>('POST', '/phone', {
      name: 'Support Agent',
      first_message: '',
      silence_timeout_seconds: 60,
      handoff_phone_number: handoff,
    });
    expect(agent.body.warnings ?? []).toEqual([]);
    agentId = agent.body.id;
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    media = new PhoneMedia();
    caller = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    });
    far = await Phone.open({ media, codecs: ['PCMA'], answer: () => answering });
    const calls = await OutboundCalls.create(stack);
    await calls.trunkTo(far.port);
    billing = await destination({ name: 'Billing Department', mode: 'bridge' }, { keypad: '1' });
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    caller?.close();
    far?.close();
    await media?.close();
    await Promise.all([voice?.close(), stack?.stop()]);
  }, 60_000);

  beforeEach(() => {
    answering = { status: 200, ringMs: 300 };
  });

  /** At the far phone, assigned to the agent; its id. */
  async function destination(fields: object, assignment: object = {}): Promise<string> {
    const create = { type: 'sip', value: `sip:desk@127.0.0.1:${far.port}`, ...fields };
    const answer = await stack.api<{ destination_id: string; warnings: unknown[] }>(
      'POST',
      `/phone/sip/agents/${agentId}/transfer-destinations`,
      { create, ...assignment },
    );
    expect([answer.status, answer.body.warnings]).toEqual([200, []]);
    return answer.body.destination_id;
  }

  async function answered(): Promise<{ phone: PhoneCall; path: string }> {
    const phone = await caller.call(DIALED);
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === phone.sipCallId);
    });
    return { phone, path: `/phone/calls/${id}` };
  }

  const find = async (path: string): Promise<Call> => (await stack.api<Call>('GET', path)).body;

  const texts = async (path: string): Promise<string[]> =>
    (await stack.api<{ turns: { speaker: string; text: string }[] }>('GET', `${path}/transcript`)).body.turns
      .filter(({ speaker }) => speaker === 'agent')
      .map((turn) => turn.text);

  const said = async (path: string): Promise<string> => (await texts(path)).join(' | ');

  const untilSaid = (path: string, pattern: RegExp, limitMs = 25_000): Promise<string> =>
    waitFor(`the agent to say ${pattern.source}`, limitMs, async () =>
      (await texts(path)).findLast((sentence) => pattern.test(sentence)),
    );

  const untilOutcome = (path: string): Promise<NonNullable<Call['transfer']>> =>
    waitFor('the outcome', 25_000, async () => {
      const { transfer } = await find(path);
      return transfer !== null && transfer.outcome !== null ? transfer : undefined;
    });

  const events = async (path: string, prefix = 'transfer'): Promise<Event[]> =>
    (await stack.api<{ items: Event[] }>('GET', `${path}/events?limit=100`)).body.items.filter(({ type }) =>
      type.startsWith(prefix),
    );

  async function says(call: PhoneCall, sentence: string): Promise<void> {
    const chunks: Int16Array[] = [];
    for await (const chunk of voice.synthesise({ text: sentence, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
    const pcm = new Int16Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      pcm.set(chunk, at);
      at += chunk.length;
    }
    await call.play(pcm);
  }

  /** As people do: said again where it was not understood, on a machine that has not got round to it. */
  async function asks(call: PhoneCall, path: string, sentence: string, answer: RegExp): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await says(call, sentence);
      const answered = await untilSaid(path, answer, 12_000).catch(() => null);
      if (answered !== null) return;
      if (attempt === 4) throw new Error(`"${sentence}" is never answered by ${answer.source}: ${await said(path)}`);
    }
  }

  async function hearsTheFarEnd(call: PhoneCall, other: PhoneCall): Promise<void> {
    void other.play(sine(TONE_HZ, 6_000 * SAMPLES_PER_MS, AMPLITUDE));
    await waitFor('the tone of the other', 6_000, async () => {
      const before = (await call.recording()).pcm.length;
      await sleep(500);
      return amplitudeAt((await call.recording()).pcm.slice(before), TONE_HZ) > AMPLITUDE / 2 ? true : undefined;
    });
  }

  async function ended(path: string): Promise<Call> {
    return waitFor('the end of the call', 15_000, async () => {
      const call = await find(path);
      return call.status === 'completed' ? call : undefined;
    });
  }

  it('is confirmed, and joins the caller with whom it named', async () => {
    const { phone, path } = await answered();
    await asks(
      phone,
      path,
      'Please connect me with the billing department.',
      /^Shall I put you through to Billing Department\?$/,
    );
    await asks(phone, path, 'Yes, please.', /^One moment, please\.$/);
    const there = await far.nextCall();
    await hearsTheFarEnd(phone, there);
    expect(await untilOutcome(path)).toMatchObject({ by: 'agent', mode: 'bridge', outcome: 'transferred' });
    expect(await texts(path)).toContain('One moment, please.');
    const timeline = await events(path);
    expect(timeline.map(({ type }) => type)).toEqual(['transfer_wanted', 'transfer.requested', 'transfer.completed']);
    expect(timeline[0]?.data).toMatchObject({ by: 'agent', destination_id: billing });
    expect(timeline[1]?.data).toMatchObject({ by: 'agent', transfer_id: timeline[0]?.data['transfer_id'] });
    await phone.hangup();
    expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
  }, 90_000);

  it('is not made after a no', async () => {
    const { phone, path } = await answered();
    await asks(phone, path, 'Please connect me with the billing department.', /^Shall I put you through/);
    await asks(phone, path, 'No, thank you.', /^All right/);
    expect(await events(path)).toEqual([]);
    await phone.hangup();
    expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup', transfer: null });
  }, 90_000);

  it('is made by a single key, after the words of the destination', async () => {
    const announced = await destination(
      { name: 'Orders', mode: 'bridge', announce: 'I am putting you through to our order desk.' },
      { keypad: '2' },
    );
    await sleep(500);
    const { phone, path } = await answered();
    await phone.sendDigits('2');
    const there = await far.nextCall();
    await hearsTheFarEnd(phone, there);
    expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'transferred' });
    expect(await texts(path)).toEqual(['One moment, please.', 'I am putting you through to our order desk.']);
    expect((await events(path))[0]?.data).toMatchObject({ by: 'keypad', destination_id: announced });
    await there.hangup();
    expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
  }, 90_000);

  it('leads to a person where the caller asks for one', async () => {
    const { phone, path } = await answered();
    await asks(phone, path, 'Can I please talk to a human being?', /^Shall I put you through to a person\?$/);
    await asks(phone, path, 'Yes, please.', /^One moment, please\.$/);
    const there = await far.nextCall();
    expect(far.invites.some(({ user }) => user === handoff)).toBe(true);
    expect(await untilOutcome(path)).toMatchObject({ by: 'handoff', outcome: 'transferred' });
    await there.hangup();
    await ended(path);
  }, 90_000);

  it('that may not be made is refused, and the agent says so and goes on', async () => {
    await destination({ name: 'Jackpot', type: 'phone', value: '+19005550100', mode: 'bridge' }, { keypad: '9' });
    await sleep(500);
    const { phone, path } = await answered();
    await phone.sendDigits('9');
    await untilSaid(path, /^I am sorry, I cannot put you through to Jackpot right now\.$/);
    const timeline = await waitFor('the refusal in the timeline', 10_000, async () => {
      const found = await events(path);
      return found.some(({ type }) => type === 'transfer.refused') ? found : undefined;
    });
    expect(timeline.map(({ type }) => type)).toEqual(['transfer_wanted', 'transfer.refused']);
    expect(timeline[1]?.data).toMatchObject({ by: 'keypad', code: 'destination_not_allowed' });
    expect(await find(path)).toMatchObject({ status: 'in_progress', transfer: null });
    // And it is there for the next wish.
    await phone.sendDigits('1');
    const there = await far.nextCall();
    expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'transferred' });
    await there.hangup();
    await ended(path);
  }, 90_000);

  it.each(['worker', 'temporal'] as const)(
    'rings once when the %s dies as it is wished',
    async (name) => {
      const { phone, path } = await answered();
      answering = { status: 200, ringMs: 4_000 };
      const before = far.invites.length;
      await phone.sendDigits('1');
      await waitFor('the leg to ring', 10_000, () => Promise.resolve(far.invites.length > before ? true : undefined));
      const pid = stack.kill(name);
      const there = await far.nextCall();
      await hearsTheFarEnd(phone, there);
      await stack.waitForNewPid(name, pid, 30_000);
      await stack.waitReady(30_000);
      expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'transferred' });
      expect(far.invites).toHaveLength(before + 1);
      await there.hangup();
      expect(await ended(path)).toMatchObject({ end_reason: 'transferred' });
    },
    120_000,
  );

  it('that is decided too late is not made: the agent has said that it cannot', async () => {
    const { phone, path } = await answered();
    const before = far.invites.length;
    const pid = stack.pid('temporal');
    process.kill(pid, 'SIGSTOP');
    try {
      await phone.sendDigits('1');
      await untilSaid(path, /^I am sorry, I cannot put you through to Billing Department/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'failed' });
    expect(far.invites).toHaveLength(before);
    expect(phone.over).toBe(false);
    await phone.hangup();
    await ended(path);
  }, 120_000);

  /** A server of its own, with an agent and a destination at the far phone, and a caller of it. */
  async function elsewhere(
    env: Readonly<Record<string, string>>,
    agentOf: (destinationId: string) => object,
    converse: (phone: PhoneCall, other: Stack) => Promise<Call['transfer']>,
  ): Promise<Call['transfer']> {
    const other = await Stack.start({ env });
    try {
      const desk = { name: 'Reception', type: 'sip', value: `sip:reception@127.0.0.1:${far.port}`, mode: 'bridge' };
      const { body: made } = await other.api<{ id: string }>('POST', '/phone/sip/transfer-destinations', desk);
      const fields = { name: 'Agent', first_message: '', silence_timeout_seconds: 60, ...agentOf(made.id) };
      const { body: agent } = await other.api<{ id: string }>('POST', '/phone', fields);
      const assigned = `/phone/sip/agents/${agent.id}/transfer-destinations`;
      await other.api('POST', assigned, { destination_id: made.id });
      const trunk = await other.api<{ auth_username: string; auth_password: string }>(
        'POST',
        '/phone/sip/inbound-trunk',
        { phone_numbers: [DIALED] },
      );
      const line = await Phone.open({
        media,
        server: { address: other.sipHost, port: other.sipPort },
        credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
      });
      await sleep(1_000);
      const transfer = await converse(await line.call(DIALED), other);
      line.close();
      return transfer;
    } finally {
      await other.stop();
    }
  }

  async function joinedAndEnded(phone: PhoneCall, other: Stack): Promise<Call['transfer']> {
    const there = await far.nextCall();
    await hearsTheFarEnd(phone, there);
    await there.hangup();
    return waitFor('the end of the call', 15_000, async () => {
      const page = await other.api<{ items: Call[] }>('GET', '/phone/calls?status=completed');
      return page.body.items[0]?.transfer ?? undefined;
    });
  }

  it('is what becomes of a caller whom the agent cannot hear, where it has a failover', async () => {
    const transfer = await elsewhere(
      { NODE_OPTIONS: `--import ${NO_RECOGNISER}` },
      (id) => ({ failover_transfer_destination_id: id }),
      async (phone, other) => {
        await says(phone, 'Hello, when do you open on Mondays?');
        return joinedAndEnded(phone, other);
      },
    );
    expect(transfer).toMatchObject({ by: 'failover', mode: 'bridge', outcome: 'transferred' });
  }, 120_000);

  it('is made by the tool of a language model', async () => {
    const model = new ChatCompletionsServer();
    const call = toolCall('transfer_call', ['{"destination":', '"Reception"}']);
    model.answer = streamed([text('I will put you through.'), ...call, stop('tool_calls'), '[DONE]']);
    const transfer = await elsewhere(
      { LLM_BASE_URL: await model.start(), LLM_MODEL: 'test-model' },
      () => ({}),
      async (phone, other) => {
        await says(phone, 'I would like to talk to somebody at the reception.');
        return joinedAndEnded(phone, other);
      },
    );
    expect(transfer).toMatchObject({ by: 'agent', mode: 'bridge', outcome: 'transferred' });
    expect(model.asked[0]?.body.tools.map((tool) => tool.function.name)).toEqual(['end_call', 'transfer_call']);
    await model.close();
  }, 120_000);
});
