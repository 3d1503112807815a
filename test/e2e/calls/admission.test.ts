/** Which calls a node takes and keeps: its own limit (`MEDIA_MAX_CALLS`), and trunks that are deleted under way. */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber, OutboundCalls } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { CallRefused } from '../../support/phone/dialling';
import { PhoneMedia } from '../../support/phone/media';
import type { Answering } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import { headerOf } from '../../support/phone/sip-text';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const DIALED = '+15551234567';
const MAX_CALLS = 2;
const BY_API = { end_reason: 'api_hangup', ended_by: 'api' } as const;

interface InboundTrunk {
  readonly id: string;
  readonly auth_username: string;
  readonly auth_password: string;
}

describe('a node with room for two calls', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let phone: Phone;
  let carrier: Phone;
  let outbound: OutboundCalls;
  let answering: Answering = { status: 200, ringMs: 50 };

  beforeAll(async () => {
    stack = await Stack.start({ env: { MEDIA_MAX_CALLS: String(MAX_CALLS) } });
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: 'Hello!', silence_timeout_seconds: 60 });
    const trunk = await stack.api<InboundTrunk>('POST', '/phone/sip/inbound-trunk', { phone_numbers: [DIALED] });
    outbound = await OutboundCalls.create(stack);
    media = new PhoneMedia();
    phone = await Phone.open({
      media,
      server: { address: stack.sipHost, port: stack.sipPort },
      credentials: { username: trunk.body.auth_username, password: trunk.body.auth_password },
    });
    carrier = await Phone.open({ media, answer: () => answering });
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    phone?.close();
    carrier?.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  async function record(sipCallId: string): Promise<CallRecord> {
    return await waitFor('the record', 15_000, async () => {
      const page = await stack.api<{ items: CallRecord[] }>('GET', '/phone/calls?limit=20');
      return page.body.items.find(({ sip, status }) => sip.call_id === sipCallId && status === 'completed');
    });
  }

  it('refuses a third with 503 and Retry-After before anything rings, and leaves no record of it', async () => {
    const calls = [await phone.call(DIALED), await phone.call(DIALED)];
    const third = await phone.dial(DIALED);
    let rang = false;
    void third.ringing.then(() => (rang = true));
    const refused: unknown = await third.answered.catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CallRefused);
    const { status, response } = refused as CallRefused;
    expect([status, rang]).toEqual([503, false]);
    expect(Number(headerOf(response!, 'retry-after'))).toBeGreaterThan(0);
    expect(calls.map(({ over }) => over)).toEqual([false, false]);

    await calls[0]!.hangup();
    await record(calls[0]!.sipCallId);
    const fourth = await phone.call(DIALED);
    await Promise.all([fourth.hangup(), calls[1]!.hangup()]);
    await Promise.all([record(fourth.sipCallId), record(calls[1]!.sipCallId)]);
    const page = await stack.api<{ items: CallRecord[] }>('GET', '/phone/calls?limit=20');
    expect(page.body.items).toHaveLength(3);
  }, 60_000);

  it('dials an accepted call when there is room again', async () => {
    const calls = [await phone.call(DIALED), await phone.call(DIALED)];
    const number = newNumber();
    const placed = await outbound.place(await outbound.trunkTo(carrier.port), number);
    await sleep(1_000);
    expect(carrier.invites.filter(({ user }) => user === number)).toHaveLength(0);
    await calls[0]!.hangup();
    await carrier.nextCall();
    await outbound.until(placed.id, 'in_progress');
    expect(carrier.invites.filter(({ user }) => user === number)).toHaveLength(1);
    await outbound.hangup(placed.id);
    await calls[1]!.hangup();
    expect(await outbound.ended(placed.id)).toMatchObject({ disposition: 'answered', ...BY_API });
  }, 60_000);

  it('ends the calls of an outbound trunk that is deleted by force: BYE to the answered, CANCEL to the ringing', async () => {
    const trunk = await outbound.trunkTo(carrier.port);
    const answered = await outbound.place(trunk, newNumber());
    const call = await carrier.nextCall();
    await outbound.until(answered.id, 'in_progress');
    answering = { ring: 'forever' };
    const ringing = await outbound.place(trunk, newNumber());
    await outbound.until(ringing.id, 'ringing');

    const path = `/phone/sip/outbound-trunks/${trunk}`;
    expect(await stack.api('DELETE', path)).toMatchObject({ status: 409, body: { code: 'trunk_has_active_calls' } });
    expect(call.over).toBe(false);
    expect((await stack.api('DELETE', `${path}?force=true`)).status).toBe(200);
    const end = await call.ended;
    expect(end.by).toBe('them');
    expect(end.reason).toMatch(/^Q\.850;\s*cause=16/);
    const [first, second] = await Promise.all([outbound.ended(answered.id), outbound.ended(ringing.id)]);
    expect(first).toMatchObject({ disposition: 'answered', ...BY_API, truncated: false });
    expect(second).toMatchObject({ disposition: 'canceled', ...BY_API, truncated: false });
    expect(carrier.cancelled).toContain(second.sip.call_id);
  }, 60_000);

  it('ends the calls of the inbound trunk when it is deleted by force, and takes no more on its credentials', async () => {
    const call = await phone.call(DIALED);
    const deleted = await stack.api('DELETE', '/phone/sip/inbound-trunk?force=true');
    expect(deleted.status).toBe(200);
    const end = await call.ended;
    expect([end.by, end.reason]).toEqual(['them', expect.stringMatching(/^Q\.850/)]);
    expect(await record(call.sipCallId)).toMatchObject({ disposition: 'answered', ...BY_API, truncated: false });
    const refused: unknown = await phone.call(DIALED).catch((error: unknown) => error);
    expect([401, 403]).toContain((refused as CallRefused).status);
  }, 60_000);
});
