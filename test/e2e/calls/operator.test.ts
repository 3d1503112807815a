/** What an operator finds in Temporal of a live call, and what ending its workflow there does to it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { callWorkflowId } from '../../../workflows/ids';
import { CALLER_NUMBER, newNumber, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { hasSipp } from '../../support/sipp';
import { SippCarrier } from '../../support/sipp-carrier';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const DIALED = '+15551234567';
const CALLER = '+15559990001';
const GREETING = 'Hi, thanks for calling! How can I help you today?';
const QUESTION = 'What are your opening hours?';
const DIGITS = '73519246';
const MAX_EVENTS = 30;
const LOST_WORKFLOW_MS = 30_000;

const describeWithSipp = hasSipp() ? describe : describe.skip;

describeWithSipp('calls in Temporal', () => {
  let stack: Stack;
  let connection: Connection;
  let temporal: Client;
  let calls: OutboundCalls;
  let carrier: SippCarrier;
  let trunk: string;
  let media: PhoneMedia;
  let phone: Phone;
  let voice: FliteTts;
  let inboundPassword: string;

  beforeAll(async () => {
    voice = new FliteTts();
    [stack, carrier] = await Promise.all([
      Stack.start(),
      SippCarrier.start({ scenario: 'carrier-challenge.xml', keys: CHALLENGE, pauseMs: 1_500 }),
      voice.start(),
    ]);
    connection = await Connection.connect({ address: stack.temporalAddress });
    temporal = new Client({ connection });
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: GREETING });
    const inbound = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    inboundPassword = inbound.body.auth_password;
    calls = await OutboundCalls.create(stack);
    trunk = await calls.trunkTo(carrier.port);
    media = new PhoneMedia();
    phone = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: inbound.body.auth_username, password: inboundPassword },
      user: CALLER,
    });
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    phone?.close();
    await Promise.all([media?.close(), connection?.close(), voice?.close(), carrier?.stop()]);
    await stack?.stop();
  }, 60_000);

  const handleOf = (callId: string): WorkflowHandle => temporal.workflow.getHandle(callWorkflowId(callId));

  async function recordOf(call: PhoneCall): Promise<CallRecord> {
    return waitFor('the record', 10_000, async () => {
      const page = await stack.api<{ items: CallRecord[] }>('GET', '/phone/calls?limit=20');
      return page.body.items.find(({ sip }) => sip.call_id === call.sipCallId);
    });
  }

  /** Every event with its payloads in the clear. */
  async function historyOf(callId: string): Promise<{ readonly events: number; readonly text: string }> {
    const { events = [] } = await handleOf(callId).fetchHistory();
    const text = JSON.stringify(events, (key, value: unknown) =>
      key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
    );
    return { events: events?.length ?? 0, text: text.replaceAll('\\"', '"') };
  }

  /** Nothing that was said, dialled or kept secret. */
  function expectDiscreet(history: string, more: readonly string[]): void {
    // The payloads are readable at all.
    expect(history).toContain('"sealed":"v1.');
    const forbidden = [GREETING, 'thanks for calling', QUESTION, 'opening hours', 'test call', DIGITS];
    const numbers = [DIALED, CALLER, CALLER_NUMBER, ...more].map((number) => number.replace('+1', ''));
    const secrets = [stack.apiKey, inboundPassword, TRUNK_PASSWORD, TRUNK_USERNAME];
    const lower = history.toLowerCase();
    const found = [...forbidden, ...numbers, ...secrets].filter((text) => lower.includes(text.toLowerCase()));
    expect(found).toEqual([]);
  }

  it('an inbound call leaves a short history without numbers, texts, digits or secrets', async () => {
    const call = await phone.call(DIALED);
    const { id } = await recordOf(call);
    // The worker runs without the SDK's stack traces, and says so.
    await expect(handleOf(id).query('__stack_trace')).rejects.toThrow('stack traces are not enabled');
    await sleep(4_000);
    await call.play(await speech(QUESTION));
    await call.sendDigits(DIGITS);
    await waitFor('the question in the transcript', 10_000, async () => {
      const { body } = await stack.api<{ turns: { speaker: string }[] }>('GET', `/phone/calls/${id}/transcript`);
      return body.turns.find(({ speaker }) => speaker === 'caller');
    });
    await call.hangup();
    await calls.ended(id);
    const history = await historyOf(id);
    expectDiscreet(history.text, []);
    expect(history.events).toBeLessThanOrEqual(MAX_EVENTS);
  }, 60_000);

  it('an outbound call leaves a short history without numbers, texts, digits or secrets', async () => {
    const number = newNumber();
    const { id } = await calls.place(trunk, number, { metadata: { note: 'opening hours' } });
    expect(await calls.ended(id)).toMatchObject({ disposition: 'answered', end_reason: 'callee_hangup' });
    const history = await historyOf(id);
    expectDiscreet(history.text, [number]);
    expect(history.events).toBeLessThanOrEqual(MAX_EVENTS);
  }, 60_000);

  it('a call whose workflow is cancelled is hung up and recorded as any other', async () => {
    const call = await phone.call(DIALED);
    const { id } = await recordOf(call);
    await handleOf(id).cancel();
    const ended = await call.ended;
    expect(ended.by).toBe('them');
    expect(await calls.ended(id)).toMatchObject({
      disposition: 'answered',
      end_reason: 'api_hangup',
      ended_by: 'system',
      truncated: false,
    });
    expect((await handleOf(id).describe()).status.name).toBe('COMPLETED');
  }, 60_000);

  it('calls of both directions whose workflows are terminated are ended by their node', async () => {
    const answering = await SippCarrier.start({ scenario: 'carrier-answer.xml' });
    try {
      const number = newNumber();
      const inbound = await phone.call(DIALED);
      const outbound = await calls.place(await calls.trunkTo(answering.port), number);
      await calls.until(outbound.id, 'in_progress');
      const { id } = await recordOf(inbound);
      // Heard of as answered before its workflow goes: nothing more is due to it until its end.
      await sleep(500);
      const startedMs = Date.now();
      await Promise.all([handleOf(id).terminate('test'), handleOf(outbound.id).terminate('test')]);
      const [ended, bye] = await Promise.all([
        inbound.ended,
        answering.waitForRequest('BYE', number, LOST_WORKFLOW_MS),
      ]);
      expect(Date.now() - startedMs).toBeLessThan(LOST_WORKFLOW_MS);
      expect(ended.by).toBe('them');
      expect(ended.reason).toMatch(/cause=41/);
      expect(bye.text).toMatch(/^Reason: Q\.850;.*cause=41/m);
      for (const callId of [id, outbound.id]) {
        expect(await calls.ended(callId, 30_000)).toMatchObject({
          disposition: 'answered',
          end_reason: 'workflow_lost',
          ended_by: 'system',
          truncated: true,
        });
      }
      expect(answering.callIds(number)).toHaveLength(1);
    } finally {
      await answering.stop();
    }
  }, 90_000);

  async function speech(text: string): Promise<Int16Array> {
    const chunks: Int16Array[] = [];
    for await (const chunk of voice.synthesise({ text, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
    return Int16Array.from(chunks.flatMap((chunk) => [...chunk]));
  }
});

const CHALLENGE = {
  username: TRUNK_USERNAME,
  password: TRUNK_PASSWORD,
  challenge_status: '401',
  challenge_header: 'WWW-Authenticate',
};
