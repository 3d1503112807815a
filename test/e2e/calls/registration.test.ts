import { Client } from 'pg';

import { FliteTts } from '../../../media/agent/providers/flite/flite-tts';
import { Baresip, hasBaresip } from '../../support/baresip';
import { newNumber, OutboundCalls } from '../../support/outbound';
import { SecondNode } from '../../support/second-node';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

interface Registration {
  readonly contact: string;
  readonly transport: string;
  readonly source: string;
  readonly user_agent: string | null;
  readonly refreshed_at: string;
  readonly expires_at: string;
}

interface Turn {
  readonly speaker: 'agent' | 'caller';
  readonly text: string;
}

const SAMPLE_RATE_HZ = 8_000;
/** Said after the agent's first words, and then waited for. */
const QUESTION = 'What are your opening hours?';
const BEFORE_QUESTION_MS = 5_000;
/** Louder than the noise of any codec. */
const SPEECH = 500;
const describeWithBaresip = hasBaresip() ? describe : describe.skip;

describeWithBaresip('a phone that has registered with the credentials of the inbound trunk', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  let credentials: { username: string; password: string };
  /** Its host is our own. */
  let trunkId: string;
  let says: Int16Array;
  const phones: Baresip[] = [];

  beforeAll(async () => {
    const voice = new FliteTts();
    [stack] = await Promise.all([Stack.start(), voice.start()]);
    says = await question(voice);
    await voice.close();
    calls = await OutboundCalls.create(stack);
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: ['+15551234567'] },
    );
    credentials = { username: trunk.body.auth_username, password: trunk.body.auth_password };
    trunkId = await calls.trunkTo(stack.sipPort, credentials);
    await waitFor('the node to know the trunk', 10_000, async () => {
      const { body } = await stack.api<{ propagating?: true }>('GET', '/phone/sip/inbound-trunk');
      return body.propagating === undefined ? true : undefined;
    });
  }, 90_000);

  afterEach(async () => {
    await Promise.all(phones.splice(0).map((phone) => phone.stop()));
    // A phone that ended badly has left its own.
    const database = new Client({ connectionString: stack.databaseUrl });
    await database.connect();
    await database.query('DELETE FROM sip_registrations');
    await database.end();
  }, 30_000);

  afterAll(async () => {
    await stack?.stop();
  }, 60_000);

  /** A phone that ends takes its own back. */
  function registered(count: number): Promise<readonly Registration[]> {
    return waitFor(`${count} registrations`, 10_000, async () => {
      const { body } = await stack.api<{ registrations: Registration[] }>('GET', '/phone/sip/inbound-trunk');
      return body.registrations?.length === count ? body.registrations : undefined;
    });
  }

  async function register(transport: 'udp' | 'tcp', port = stack.sipPort): Promise<Baresip> {
    const server = { address: stack.sipHost, port };
    const phone = await Baresip.register({ server, credentials, transport, says });
    phones.push(phone);
    return phone;
  }

  function stop(phone: Baresip): Promise<Int16Array> {
    phones.splice(phones.indexOf(phone), 1);
    return phone.stop();
  }

  /** Answers the id of the call. */
  async function expectAnswer(phone: Baresip): Promise<string> {
    const call = await calls.place(trunkId, newNumber());
    await phone.established(20_000).catch(async (error: unknown) => {
      throw new Error(`${JSON.stringify(await calls.find(call.id))}\n${(error as Error).message}`, { cause: error });
    });
    await calls.until(call.id, 'in_progress');
    return call.id;
  }

  async function expectHangup(callId: string, phone: Baresip): Promise<void> {
    expect((await calls.hangup(callId)).status).toBe(200);
    await phone.closed();
    expect(await calls.ended(callId)).toMatchObject({ disposition: 'answered', sip: { final_status: 200 } });
  }

  async function expectTalk(phone: Baresip): Promise<void> {
    const callId = await expectAnswer(phone);
    const asked = await waitFor('what the phone says', 20_000, async () => {
      const { body } = await stack.api<{ turns: Turn[] }>('GET', `/phone/calls/${callId}/transcript`);
      return body.turns.find(({ speaker }) => speaker === 'caller');
    });
    expect(asked.text).toMatch(/opening hours/i);
    await expectHangup(callId, phone);
    const heard = await stop(phone);
    expect(heard.filter((sample) => Math.abs(sample) > SPEECH).length).toBeGreaterThan(SAMPLE_RATE_HZ / 10);
  }

  it('is called nowhere as long as it has not', async () => {
    const call = await calls.place(trunkId, newNumber());
    const ended = await calls.ended(call.id);
    expect(ended).toMatchObject({ disposition: 'trunk_unreachable', ended_by: 'system', sip: { final_status: 480 } });
    expect(ended.sip.reason).toMatch(/^not_registered: /);
    const unreachable = (await calls.events(call.id)).filter(({ type }) => type === 'target_unreachable');
    expect(unreachable).toHaveLength(1);
  }, 30_000);

  it.each(['udp', 'tcp'] as const)(
    'is shown and called over %s, and both hear each other',
    async (transport) => {
      const phone = await register(transport);
      const [registration] = await registered(1);
      expect(registration).toMatchObject({
        transport,
        source: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        user_agent: expect.stringMatching(/^baresip/),
      });
      expect(JSON.stringify(registration)).not.toContain(credentials.password);
      await expectTalk(phone);
    },
    60_000,
  );

  it('is called after the node was killed, without having registered again', async () => {
    const phone = await register('udp');
    const [before] = await registered(1);
    await stack.waitForNewPid('media', stack.kill('media'));
    await waitFor('the node to be back', 30_000, async () => {
      const answer = await fetch(`${stack.mediaUrl}/ready`).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
    expect(await registered(1)).toEqual([before]);
    await expectHangup(await expectAnswer(phone), phone);
  }, 60_000);

  it('is called by the node that holds its connection', async () => {
    const second = await SecondNode.start(stack);
    try {
      const phone = await register('tcp', second.sipPort);
      await registered(1);
      await expectHangup(await expectAnswer(phone), phone);
      // Its end takes the registration back, over the same connection.
      await stop(phone);
      await registered(0);
    } finally {
      await second.stop();
    }
  }, 90_000);
});

/** With silence before it and half a minute after, at whose end the phone would hang up. */
async function question(voice: FliteTts): Promise<Int16Array> {
  const chunks: Int16Array[] = [];
  for await (const chunk of voice.synthesise({ text: QUESTION, voiceId: 'rms', speedPct: 100 })) chunks.push(chunk);
  const silence = (ms: number): Int16Array => new Int16Array((ms * SAMPLE_RATE_HZ) / 1000);
  const parts = [silence(BEFORE_QUESTION_MS), ...chunks, silence(30_000)];
  return Int16Array.from(parts.flatMap((part) => [...part]));
}
