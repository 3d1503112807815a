import { setTimeout as sleep } from 'node:timers/promises';

import { MoonshineStt } from '../../../media/agent/providers/moonshine/moonshine-stt';
import { Baresip, hasBaresip } from '../../support/baresip';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';
import { wordErrorRate } from '../../support/word-error-rate';

const DIALED = '+15551234567';
const GREETING = 'Hi, thanks for calling! How can I help you today?';
/** Long enough for the greeting, too short for the agent to ask whether anybody is there. */
const LISTEN_MS = 5_000;
const SAMPLE_RATE_HZ = 8_000;
const SPEECH = 500;
const describeWithBaresip = hasBaresip() ? describe : describe.skip;

interface Call {
  readonly id: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly end_reason: string | null;
}

describeWithBaresip('baresip with the credentials of an inbound trunk', () => {
  let stack: Stack;
  let ears: MoonshineStt;
  let credentials: { username: string; password: string };

  beforeAll(async () => {
    ears = new MoonshineStt();
    [stack] = await Promise.all([Stack.start(), ears.start()]);
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: GREETING });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    credentials = { username: trunk.body.auth_username, password: trunk.body.auth_password };
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    await Promise.all([ears?.close(), stack?.stop()]);
  }, 60_000);

  const dial = (transport: 'udp' | 'tcp'): Promise<Baresip> =>
    Baresip.call(DIALED, { server: { address: stack.sipHost, port: stack.sipPort }, credentials, transport });

  async function theOnly(status: string): Promise<Call> {
    return waitFor(`the only call ${status}`, 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', `/phone/calls?status=${status}&limit=1`);
      return page.body.items[0];
    });
  }

  it('hears the first message, and hangs up', async () => {
    const phone = await dial('udp');
    let recorded: Int16Array;
    try {
      await phone.established();
      await sleep(LISTEN_MS);
    } finally {
      recorded = await phone.stop();
    }
    const heard = spoken(recorded);
    // Nothing but silence has a peak below this; the greeting takes some three seconds.
    expect(heard.length / SAMPLE_RATE_HZ).toBeGreaterThan(1.5);
    const { text } = await ears.transcribe(heard, { keyterms: [] });
    expect(wordErrorRate(GREETING, text)).toBeLessThanOrEqual(0.2);
    expect(await theOnly('completed')).toMatchObject({ disposition: 'answered', end_reason: 'caller_hangup' });
  }, 60_000);

  it('is hung up by the API, over TCP', async () => {
    const phone = await dial('tcp');
    try {
      await phone.established();
      const { id } = await theOnly('in_progress');
      expect((await stack.api('POST', `/phone/calls/${id}/hangup`)).status).toBe(200);
      await phone.closed(5_000);
    } finally {
      await phone.stop();
    }
  }, 60_000);
});

/** Without the silence before and after. */
function spoken(pcm: Int16Array): Int16Array {
  const loud = (sample: number): boolean => Math.abs(sample) > SPEECH;
  const margin = SAMPLE_RATE_HZ / 5;
  const from = pcm.findIndex(loud);
  return from === -1 ? new Int16Array(0) : pcm.slice(Math.max(0, from - margin), pcm.findLastIndex(loud) + margin);
}
