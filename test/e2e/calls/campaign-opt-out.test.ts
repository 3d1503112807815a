/** Whoever a campaign calls may say, or press, that they are not to be called again: over SIP and RTP. */
import { setTimeout as after } from 'node:timers/promises';
import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { CampaignCalls } from '../../support/campaign-calls';
import { newNumber, OutboundCalls } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const DISCLOSURE = 'This is an automated call.';
const GREETING = 'Hello from {{company}}.';
const FAREWELL = 'You will not be called again. Goodbye.';

interface DncItem {
  readonly source: string;
  readonly created_at: string;
}

describe('opting out of a campaign', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let voice: FliteTts;
  let carrier: Phone;
  let calls: OutboundCalls;
  let campaigns: CampaignCalls;
  let campaign: object;

  beforeAll(async () => {
    voice = new FliteTts();
    [stack] = await Promise.all([Stack.start(), voice.start()]);
    media = new PhoneMedia();
    carrier = await Phone.open({ media, answer: () => ({ status: 200 }) });
    calls = await OutboundCalls.create(stack);
    campaigns = new CampaignCalls(stack, calls);
    const agent = { name: 'Caller', type: 'outbound', first_message: GREETING, silence_timeout_seconds: 60 };
    const { body } = await stack.api<{ id: string }>('POST', '/phone', agent);
    campaign = { phone_agent_id: body.id, disclosure_line: DISCLOSURE, variables: { company: 'Example' } };
  }, 90_000);

  afterAll(async () => {
    carrier?.close();
    await media?.close();
    await Promise.all([voice?.close(), stack?.stop()]);
  }, 60_000);

  async function speech(text: string): Promise<Int16Array> {
    const chunks: Int16Array[] = [];
    for await (const chunk of voice.synthesise({ text, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
    return Int16Array.from(chunks.flatMap((chunk) => [...chunk]));
  }

  async function textsOf(callId: string): Promise<string[]> {
    const { body } = await stack.api<{ turns: { text: string }[] }>('GET', `/phone/calls/${callId}/transcript`);
    return body.turns.map(({ text }) => text);
  }

  /** A campaign of one contact, once its greeting was heard. */
  async function called(number: string): Promise<{ id: string; call: PhoneCall }> {
    const id = await campaigns.create(await calls.trunkTo(carrier.port), [number], campaign);
    await campaigns.act(id, 'start');
    const call = await carrier.nextCall();
    await waitFor('the greeting', 20_000, async () => {
      const [made] = await campaigns.calls(id);
      return made !== undefined && (await textsOf(made.id)).length >= 2 ? true : undefined;
    });
    return { id, call };
  }

  /** As people do, whom a voice does not always understand: a stall of this machine takes a syllable out of what is said. */
  async function sayUntilHungUp(call: PhoneCall, text: string): Promise<void> {
    const pcm = await speech(text);
    for (let times = 0; times < 3; times++) {
      await call.play(pcm);
      const over = await Promise.race([call.ended, after(12_000, undefined, { ref: false })]);
      if (over !== undefined) return;
    }
  }

  async function listed(number: string): Promise<DncItem | undefined> {
    const path = `/phone/dnc?phone_number=${encodeURIComponent(number)}`;
    return (await stack.api<{ items: DncItem[] }>('GET', path)).body.items[0];
  }

  it.each<[string, (call: PhoneCall) => Promise<void>]>([
    ['a word', (call) => sayUntilHungUp(call, 'Please remove my number from your list.')],
    ['the key', (call) => call.sendDigits('9')],
  ])(
    'by %s: the number is on the list before the agent says so and hangs up, and nobody calls it again',
    async (_, optOut) => {
      const number = newNumber();
      const { id, call } = await called(number);
      await optOut(call);
      expect((await call.ended).by).toBe('them');
      const made: CallRecord & { ended_at?: string } = await waitFor('the record', 15_000, async () =>
        (await campaigns.calls(id)).find(({ status }) => status === 'completed'),
      );
      expect(made).toMatchObject({ disposition: 'answered', end_reason: 'agent_goodbye', ended_by: 'agent' });
      const texts = await textsOf(made.id);
      expect([...texts.slice(0, 2), texts.at(-1)]).toEqual([DISCLOSURE, 'Hello from Example.', FAREWELL]);
      expect(texts.at(-2)).toMatch(/remove my number|\[pressed 9\]/i);

      const entry = await listed(number);
      expect(entry?.source).toBe('opt_out');
      const { body: timeline } = await stack.api<{ items: { type: string; at: string; data: object }[] }>(
        'GET',
        `/phone/calls/${made.id}/events?limit=100`,
      );
      const farewell = timeline.items.findLast(({ type }) => type === 'turn');
      expect(Date.parse(entry?.created_at ?? '')).toBeLessThan(Date.parse(farewell?.at ?? ''));
      const told = timeline.items.find(({ type }) => type === 'opted_out');
      expect(Object.keys(told?.data ?? {})).toEqual(['by']);

      await campaigns.is(id, 'completed');
      expect((await campaigns.contacts(id)).get(number)).toMatchObject({ state: 'done', result: 'opted_out' });
      expect(await campaigns.timeline(id)).toEqual(['started', 'opted_out', 'completed']);
      const again = await campaigns.create(await calls.trunkTo(carrier.port), [number], campaign);
      expect((await campaigns.contacts(again)).size).toBe(0);
    },
    90_000,
  );
});
