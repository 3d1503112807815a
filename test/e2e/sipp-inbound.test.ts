import { setTimeout as sleep } from 'node:timers/promises';

import { hasSipp, runSipp } from '../support/sipp';
import { Stack } from '../support/stack';
import { waitFor } from '../support/wait-for';

const DIALED = '+15551234567';
/** Its first piece takes synthesis some 200 ms; the caller gives up 20 ms after it rings. */
const LONG_GREETING = `hello ${'and thank you very much for waiting so patiently with us today '.repeat(60)}`;

interface Trunk {
  readonly auth_username: string;
  readonly auth_password: string;
}

interface CallItem {
  readonly id: string;
  readonly status: string;
  readonly disposition: string | null;
  readonly end_reason: string | null;
  readonly sip: { readonly call_id: string };
}

const describeWithSipp = hasSipp() ? describe : describe.skip;

describeWithSipp('inbound calls of a third-party phone', () => {
  let stack: Stack;
  let agentId: string;
  let credentials: { username: string; password: string };

  beforeAll(async () => {
    stack = await Stack.start();
    const agent = await stack.api<{ id: string }>('POST', '/phone', {
      name: 'Support Agent',
      first_message: 'Hi, thanks for calling! How can I help you today?',
    });
    agentId = agent.body.id;
    const trunk = await stack.api<Trunk>('POST', '/phone/sip/inbound-trunk', { phone_numbers: [DIALED] });
    credentials = { username: trunk.body.auth_username, password: trunk.body.auth_password };
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    await stack?.stop();
  }, 60_000);

  const call = { scenario: 'digest-call.xml', service: DIALED };

  async function listCalls(): Promise<CallItem[]> {
    const items: CallItem[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await stack.api<{ items: CallItem[]; next: string | null }>('GET', `/phone/calls?limit=100${query}`);
      items.push(...page.body.items);
      cursor = page.body.next;
    } while (cursor !== null);
    return items;
  }

  it('answers 200 calls at 20 a second and records each of them', async () => {
    await runSipp({
      ...call,
      remotePort: stack.sipPort,
      credentials,
      calls: 200,
      perSecond: 20,
      pauseMs: 1_000,
      timeoutSeconds: 90,
    });
    const recorded = await waitFor('200 records', 30_000, async () => {
      const done = (await listCalls()).filter((item) => item.status === 'completed');
      return done.length >= 200 ? done : undefined;
    });
    expect(recorded).toHaveLength(200);
    expect(new Set(recorded.map((item) => item.sip.call_id)).size).toBe(200);
    expect(new Set(recorded.map((item) => `${item.disposition} ${item.end_reason}`))).toEqual(
      new Set(['answered caller_hangup']),
    );
  }, 150_000);

  it('answers calls over TCP', async () => {
    await runSipp({
      ...call,
      remotePort: stack.sipPort,
      credentials,
      calls: 10,
      perSecond: 10,
      pauseMs: 300,
      transport: 'tcp',
    });
  }, 60_000);

  it('records a caller that gives up while it rings as canceled', async () => {
    const seen = new Set((await listCalls()).map((item) => item.id));
    await stack.api('PATCH', `/phone/${agentId}`, { first_message: LONG_GREETING });
    await sleep(1_000);
    await runSipp({
      remotePort: stack.sipPort,
      scenario: 'digest-cancel.xml',
      service: DIALED,
      credentials,
      calls: 1,
    });
    const [canceled] = await waitFor('the record', 15_000, async () => {
      const done = (await listCalls()).filter((item) => !seen.has(item.id) && item.status === 'completed');
      return done.length > 0 ? done : undefined;
    });
    expect(canceled?.disposition).toBe('canceled');
  }, 60_000);

  // Last, because whoever guesses waits, and all phones of this file have one address.
  it('refuses calls with a wrong password, lets who guesses on wait, and keeps nothing of them', async () => {
    const before = (await listCalls()).length;
    const guess = { remotePort: stack.sipPort, scenario: 'digest-refused.xml', service: DIALED };
    const wrong = { username: credentials.username, password: 'wrong' };
    await runSipp({ ...guess, credentials: wrong, calls: 3, perSecond: 10 });
    await runSipp({ ...guess, credentials: { ...credentials, username: 'nobody' }, calls: 3, perSecond: 10 });
    const more = runSipp({ ...guess, credentials: wrong, calls: 100, perSecond: 100, timeoutSeconds: 5 });
    await expect(more).rejects.toThrow('timed out');
    expect(await listCalls()).toHaveLength(before);
    expect(stack.log).toContain('"msg":"wrong SIP credentials"');
    const metrics = await (await fetch(`${stack.mediaUrl}/metrics`)).text();
    expect(metrics).toMatch(/trunkline_calls_active(\{[^}]*\})? 0/);
  }, 60_000);
});
