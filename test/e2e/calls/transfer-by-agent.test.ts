/** A caller is handed over by the conversation itself: by words, by a key, to a person, or because nothing else is left. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { ChatCompletionsServer, stop, streamed, text, toolCall } from '../../fakes/chat-completions-server';
import { spokenBy } from '../../support/agent/text-to-speech-contract';
import { newNumber } from '../../support/outbound';
import type { PhoneCall } from '../../support/phone/phone-call';
import type { Stack } from '../../support/stack';
import { amplitudeAt, sine } from '../../support/tones';
import { waitFor } from '../../support/wait-for';
import type { TransferRecord } from '../../support/transfer/matrix-stack';
import { AMPLITUDE, FAR_HZ, hears, SAMPLES_PER_MS, TransferStack } from '../../support/transfer/transfer-stack';
import type { TransferEvent } from '../../support/transfer/transfer-stack';

const NO_RECOGNISER = pathToFileURL(join(__dirname, '..', '..', 'fixtures', 'no-recogniser.mjs')).href;

/** Spoken to an agent. */
let voice: FliteTts;

beforeAll(async () => {
  voice = new FliteTts();
  await voice.start();
}, 60_000);

afterAll(() => voice.close());

async function says(call: PhoneCall, sentence: string): Promise<void> {
  await call.play(await spokenBy(voice, sentence, 'rms'));
}

async function hearsTheFarEnd(call: PhoneCall, other: PhoneCall): Promise<void> {
  void other.play(sine(FAR_HZ, 6_000 * SAMPLES_PER_MS, AMPLITUDE));
  await waitFor('the tone of the other', 6_000, async () =>
    amplitudeAt(await hears(call, 500), FAR_HZ) > AMPLITUDE / 2 ? true : undefined,
  );
}

describe('a transfer that the conversation wishes', () => {
  let kit: TransferStack;
  let stack: Stack;
  let billing: string;
  const handoff = newNumber();

  beforeAll(async () => {
    kit = await TransferStack.start({ agent: { name: 'Support Agent', handoff_phone_number: handoff } });
    ({ stack } = kit);
    billing = await destination({ name: 'Billing Department', mode: 'bridge' }, { keypad: '1' });
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    await kit?.close();
  }, 60_000);

  /** At the far phone, assigned to the agent; its id. */
  async function destination(fields: object, assignment: object = {}): Promise<string> {
    const create = { type: 'sip', value: `sip:desk@127.0.0.1:${kit.far.port}`, ...fields };
    const answer = await stack.api<{ destination_id: string; warnings: unknown[] }>(
      'POST',
      `/phone/sip/agents/${kit.agentId}/transfer-destinations`,
      { create, ...assignment },
    );
    expect([answer.status, answer.body.warnings]).toEqual([200, []]);
    return answer.body.destination_id;
  }

  const texts = async (path: string): Promise<string[]> =>
    (await kit.turns(path)).filter(({ speaker }) => speaker === 'agent').map((turn) => turn.text);

  const untilSaid = (path: string, pattern: RegExp, limitMs = 25_000): Promise<string> =>
    waitFor(`the agent to say ${pattern.source}`, limitMs, async () =>
      (await texts(path)).findLast((sentence) => pattern.test(sentence)),
    );

  const untilOutcome = (path: string): Promise<TransferRecord> => kit.outcomeOf(path, 25_000);

  /** Whoever has answered the transfer of a call. */
  async function calledBy(path: string): Promise<PhoneCall> {
    const id = await waitFor('the transfer', 15_000, async () => (await kit.find(path)).transfer?.id);
    return kit.callOf(id);
  }

  const events = async (path: string): Promise<TransferEvent[]> =>
    (await kit.events(path)).filter(({ type }) => type.startsWith('transfer'));

  /** As people do: said again where it was not understood, on a machine that has not got round to it. */
  async function asks(call: PhoneCall, path: string, sentence: string, answer: RegExp): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await says(call, sentence);
      const answered = await untilSaid(path, answer, 12_000).catch(() => null);
      if (answered !== null) return;
      const said = (await texts(path)).join(' | ');
      if (attempt === 4) throw new Error(`"${sentence}" is never answered by ${answer.source}: ${said}`);
    }
  }

  // They wait for what is spoken, each in its own call.
  describe('while nothing dies', () => {
    let orders: string;

    beforeAll(async () => {
      orders = await destination(
        { name: 'Orders', mode: 'bridge', announce: 'I am putting you through to our order desk.' },
        { keypad: '2' },
      );
      await destination({ name: 'Jackpot', type: 'phone', value: '+19005550100', mode: 'bridge' }, { keypad: '9' });
      await sleep(500);
    });

    it.concurrent(
      'is confirmed, and joins the caller with whom it named',
      async () => {
        const { phone, path } = await kit.answered();
        await asks(
          phone,
          path,
          'Please connect me with the billing department.',
          /^Shall I put you through to Billing Department\?$/,
        );
        await asks(phone, path, 'Yes, please.', /^One moment, please\.$/);
        const there = await calledBy(path);
        await hearsTheFarEnd(phone, there);
        expect(await untilOutcome(path)).toMatchObject({ by: 'agent', mode: 'bridge', outcome: 'transferred' });
        expect(await texts(path)).toContain('One moment, please.');
        const timeline = await events(path);
        expect(timeline.map(({ type }) => type)).toEqual([
          'transfer_wanted',
          'transfer.requested',
          'transfer.completed',
        ]);
        expect(timeline[0]?.data).toMatchObject({ by: 'agent', destination_id: billing });
        expect(timeline[1]?.data).toMatchObject({ by: 'agent', transfer_id: timeline[0]?.data['transfer_id'] });
        await phone.hangup();
        expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
      },
      90_000,
    );

    it.concurrent(
      'is not made after a no',
      async () => {
        const { phone, path } = await kit.answered();
        await asks(phone, path, 'Please connect me with the billing department.', /^Shall I put you through/);
        await asks(phone, path, 'No, thank you.', /^All right/);
        expect(await events(path)).toEqual([]);
        await phone.hangup();
        expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup', transfer: null });
      },
      90_000,
    );

    it.concurrent(
      'is made by a single key, after the words of the destination',
      async () => {
        const { phone, path } = await kit.answered();
        await phone.sendDigits('2');
        const there = await calledBy(path);
        await hearsTheFarEnd(phone, there);
        expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'transferred' });
        expect(await texts(path)).toEqual(['One moment, please.', 'I am putting you through to our order desk.']);
        expect((await events(path))[0]?.data).toMatchObject({ by: 'keypad', destination_id: orders });
        await there.hangup();
        expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
      },
      90_000,
    );

    it.concurrent(
      'leads to a person where the caller asks for one',
      async () => {
        const { phone, path } = await kit.answered();
        await asks(phone, path, 'Can I please talk to a human being?', /^Shall I put you through to a person\?$/);
        await asks(phone, path, 'Yes, please.', /^One moment, please\.$/);
        const there = await calledBy(path);
        expect(kit.far.invites.some(({ user }) => user === handoff)).toBe(true);
        expect(await untilOutcome(path)).toMatchObject({ by: 'handoff', outcome: 'transferred' });
        await there.hangup();
        await kit.ended(path);
      },
      90_000,
    );

    it.concurrent(
      'that may not be made is refused, and the agent says so and goes on',
      async () => {
        const { phone, path } = await kit.answered();
        await phone.sendDigits('9');
        await untilSaid(path, /^I am sorry, I cannot put you through to Jackpot right now\.$/);
        const timeline = await waitFor('the refusal in the timeline', 10_000, async () => {
          const found = await events(path);
          return found.some(({ type }) => type === 'transfer.refused') ? found : undefined;
        });
        expect(timeline.map(({ type }) => type)).toEqual(['transfer_wanted', 'transfer.refused']);
        expect(timeline[1]?.data).toMatchObject({ by: 'keypad', code: 'destination_not_allowed' });
        expect(await kit.find(path)).toMatchObject({ status: 'in_progress', transfer: null });
        // And it is there for the next wish.
        await phone.sendDigits('1');
        const there = await calledBy(path);
        expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'transferred' });
        await there.hangup();
        await kit.ended(path);
      },
      90_000,
    );

    it('leaves no leg of any call', () => kit.untilNoLegIsLeft());
  });

  it.each(['worker', 'temporal'] as const)(
    'rings once when the %s dies as it is wished',
    async (name) => {
      const { phone, path } = await kit.answered();
      kit.answering = { status: 200, ringMs: 4_000 };
      const before = kit.far.invites.length;
      await phone.sendDigits('1');
      await waitFor('the leg to ring', 10_000, () => kit.far.invites.length > before || undefined);
      const pid = stack.kill(name);
      const there = await waitFor('an answer', 10_000, () => kit.far.calls.get(kit.far.invites[before]!.sipCallId));
      await hearsTheFarEnd(phone, there);
      await stack.waitForNewPid(name, pid, 30_000);
      await stack.waitReady(30_000);
      expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'transferred' });
      expect(kit.far.invites).toHaveLength(before + 1);
      await there.hangup();
      expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
    },
    120_000,
  );

  it('that is decided too late is not made: the agent has said that it cannot', async () => {
    const { phone, path } = await kit.answered();
    const before = kit.far.invites.length;
    const pid = stack.pid('temporal');
    process.kill(pid, 'SIGSTOP');
    try {
      await phone.sendDigits('1');
      await untilSaid(path, /^I am sorry, I cannot put you through to Billing Department/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await untilOutcome(path)).toMatchObject({ by: 'keypad', outcome: 'failed' });
    expect(kit.far.invites).toHaveLength(before);
    expect(phone.over).toBe(false);
    await phone.hangup();
    await kit.ended(path);
  }, 120_000);
});

// Each with a server of its own.
describe('a transfer that the conversation of another agent wishes', () => {
  /** A destination of the agent, its only one; its id. */
  async function reception({ stack, far, agentId }: TransferStack): Promise<string> {
    const desk = { name: 'Reception', type: 'sip', value: `sip:reception@127.0.0.1:${far.port}`, mode: 'bridge' };
    const { body } = await stack.api<{ destination_id: string }>(
      'POST',
      `/phone/sip/agents/${agentId}/transfer-destinations`,
      { create: desk },
    );
    return body.destination_id;
  }

  /** What is left of the call of somebody who says this, and whom it leads to somebody else. */
  async function joinedAfter(kit: TransferStack, sentence: string): Promise<TransferRecord | null> {
    const { phone, path } = await kit.answered();
    await says(phone, sentence);
    const there = await kit.far.nextCall();
    await hearsTheFarEnd(phone, there);
    await there.hangup();
    return (await kit.ended(path)).transfer;
  }

  it.concurrent(
    'for a caller whom the agent cannot hear, where it has a failover',
    async () => {
      const kit = await TransferStack.start({
        agent: { name: 'Agent' },
        env: { NODE_OPTIONS: `--import ${NO_RECOGNISER}` },
      });
      try {
        const failover = { failover_transfer_destination_id: await reception(kit) };
        expect((await kit.stack.api('PATCH', `/phone/${kit.agentId}`, failover)).status).toBe(200);
        await sleep(1_000);
        const transfer = await joinedAfter(kit, 'Hello, when do you open on Mondays?');
        expect(transfer).toMatchObject({ by: 'failover', mode: 'bridge', outcome: 'transferred' });
      } finally {
        await kit.close();
      }
    },
    120_000,
  );

  it.concurrent(
    'by the tool of a language model',
    async () => {
      const model = new ChatCompletionsServer();
      const call = toolCall('transfer_call', ['{"destination":', '"Reception"}']);
      model.answer = streamed([text('I will put you through.'), ...call, stop('tool_calls'), '[DONE]']);
      const env = { LLM_BASE_URL: await model.start(), LLM_MODEL: 'test-model' };
      const kit = await TransferStack.start({ agent: { name: 'Agent' }, env });
      try {
        await reception(kit);
        await sleep(1_000);
        const transfer = await joinedAfter(kit, 'I would like to talk to somebody at the reception.');
        expect(transfer).toMatchObject({ by: 'agent', mode: 'bridge', outcome: 'transferred' });
        expect(model.asked[0]?.body.tools.map((tool) => tool.function.name)).toEqual(['end_call', 'transfer_call']);
      } finally {
        await kit.close();
        await model.close();
      }
    },
    120_000,
  );
});
