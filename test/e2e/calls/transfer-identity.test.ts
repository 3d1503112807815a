/** What the phone system that a caller is handed over to is told of them, and what it gets when it challenges us. */
import { setTimeout as sleep } from 'node:timers/promises';

import { CALLER_NUMBER, newNumber, OutboundCalls } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { Header, PhoneOptions } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import { headerOf } from '../../support/phone/sip-text';
import { Stack, waitFor } from '../../support/stack';

const DIALED = '+15551234567';
const CALLER_USER = '+15557654321';
const CREDENTIALS = { username: 'sales-desk', password: 'desk-password-51c2' };

interface Call {
  readonly id: string;
  readonly sip: { readonly call_id: string };
  readonly transfer: { readonly outcome: string | null } | null;
}

describe('a transfer shows', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let caller: Phone;
  let far: Phone;
  let agentId: string;

  beforeAll(async () => {
    stack = await Stack.start();
    const agent = await stack.api<{ id: string }>('POST', '/phone', { name: 'Ada', first_message: '' });
    agentId = agent.body.id;
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    media = new PhoneMedia();
    caller = await Phone.open({
      media,
      user: CALLER_USER,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    });
    far = await openFar();
    const calls = await OutboundCalls.create(stack);
    await calls.trunkTo(far.port, { pass_caller_id: true, from_host: 'acme.example' });
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    caller?.close();
    far?.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  const openFar = (more: Partial<PhoneOptions> = {}): Promise<Phone> =>
    Phone.open({ media, answer: () => ({ status: 200 }), ...more });

  async function transferred(body: object, headers: readonly Header[] = []): Promise<string> {
    const phone = await caller.call(DIALED, { headers });
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === phone.sipCallId);
    });
    const path = `/phone/calls/${id}`;
    const answer = await stack.api('POST', `${path}/transfer`, { mode: 'bridge', ...body });
    expect([answer.status, answer.body]).toEqual([200, { transfer_id: expect.any(String) }]);
    const outcome = await waitFor('the outcome', 15_000, async () => {
      const { transfer } = (await stack.api<Call>('GET', path)).body;
      return transfer?.outcome ?? undefined;
    });
    await phone.hangup();
    return outcome;
  }

  it('who calls and whom they called, by a trunk that passes it, unless they want privacy', async () => {
    const [open, hidden] = [newNumber(), newNumber()];
    expect(await transferred({ type: 'phone', value: open })).toBe('transferred');
    expect(await transferred({ type: 'phone', value: hidden }, [['Privacy', 'id']])).toBe('transferred');
    const invite = far.invites.find(({ user }) => user === open);
    expect(invite?.fromUser).toBe(CALLER_NUMBER);
    expect(headerOf(invite!.message, 'p-asserted-identity')).toBe(`<sip:${CALLER_USER}@acme.example>`);
    expect(headerOf(invite!.message, 'diversion')).toBe(`<sip:${DIALED}@acme.example>;reason=deflection;counter=1`);
    const nothing = far.invites.find(({ user }) => user === hidden);
    expect(JSON.stringify(nothing!.message.headers)).not.toContain(CALLER_USER.slice(1));
  }, 60_000);

  it('the credentials of a SIP destination to that destination, and no others', async () => {
    const desk = await openFar({ challenge: CREDENTIALS });
    const destination = async (more: object): Promise<string> => {
      const create = { name: 'Sales', type: 'sip', value: `sip:sales@127.0.0.1:${desk.port}`, ...more };
      const path = `/phone/sip/agents/${agentId}/transfer-destinations`;
      return (await stack.api<{ destination_id: string }>('POST', path, { create })).body.destination_id;
    };
    expect(await transferred({ destination_id: await destination(CREDENTIALS) })).toBe('transferred');
    expect(desk.invites.at(-1)?.authenticated).toBe(true);
    expect(await transferred({ destination_id: await destination({}) })).toBe('trunk_denied');
    const wrong = { ...CREDENTIALS, password: 'another' };
    expect(await transferred({ destination_id: await destination(wrong) })).toBe('trunk_denied');
    desk.close();
  }, 60_000);
});
