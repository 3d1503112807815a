/** The phone system at the other end moves our call from one of its phones to another. */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber, OutboundCalls } from '../../support/outbound';
import { CallRefused } from '../../support/phone/dialling';
import { PhoneMedia } from '../../support/phone/media';
import type { Answering, Header } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { headerOf, tagOf } from '../../support/phone/sip-text';
import type { Credentials } from '../../support/phone/sip-text';
import { hasSipp, runSipp } from '../../support/sipp';
import { Stack } from '../../support/stack';
import { amplitudeAt, rms, sine } from '../../support/tones';
import { waitFor } from '../../support/wait-for';

const DIALED = '+15551234567';
const SAMPLES_PER_MS = 8;
const HERE_HZ = 700;
const THERE_HZ = 1_150;
const AMPLITUDE = 6_000;

interface Call {
  readonly id: string;
  readonly status: string;
  readonly end_reason: string | null;
  readonly ended_by: string | null;
  readonly sip: { readonly call_id: string };
}

interface Event {
  readonly type: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** As its receiver names the dialog of a call of this phone's (RFC 3891 §6.1). */
function replaces({ sipCallId, dialog }: PhoneCall, more = ''): Header {
  return ['Replaces', `${sipCallId};to-tag=${tagOf(dialog.remote)};from-tag=${tagOf(dialog.local)}${more}`];
}

describe('a call that the phone system moves to another of its phones', () => {
  let stack: Stack;
  let media: PhoneMedia;
  let operator: Phone;
  let colleague: Phone;
  let far: Phone;
  let answering: Answering;
  let credentials: Credentials;

  beforeAll(async () => {
    stack = await Stack.start();
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: '', silence_timeout_seconds: 60 });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    credentials = { username: trunk.body.auth_username, password: trunk.body.auth_password };
    media = new PhoneMedia();
    const server = { address: stack.sipHost, port: stack.sipPort };
    operator = await Phone.open({ media, server, credentials });
    colleague = await Phone.open({ media, server, credentials, codecs: ['PCMA'], answer: () => answering });
    far = await Phone.open({ media, answer: () => answering });
    const calls = await OutboundCalls.create(stack);
    await calls.trunkTo(far.port);
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    for (const phone of [operator, colleague, far]) phone?.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  beforeEach(() => {
    answering = { status: 200, ringMs: 300 };
  });

  async function answered(by = operator): Promise<{ phone: PhoneCall; path: string }> {
    const phone = await by.call(DIALED);
    const { id } = await waitFor('the call', 15_000, async () => {
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      return page.body.items.find((item) => item.sip.call_id === phone.sipCallId);
    });
    return { phone, path: `/phone/calls/${id}` };
  }

  const find = async (path: string): Promise<Call> => (await stack.api<Call>('GET', path)).body;

  const ended = (path: string): Promise<Call> =>
    waitFor('the end of the call', 15_000, async () => {
      const call = await find(path);
      return call.status === 'completed' ? call : undefined;
    });

  const events = async (path: string, type: string): Promise<Event[]> =>
    (await stack.api<{ items: Event[] }>('GET', `${path}/events?limit=100`)).body.items.filter(
      (event) => event.type === type,
    );

  const told = (path: string, type: string): Promise<Event> =>
    waitFor(type, 10_000, async () => (await events(path, type)).at(-1));

  /** What a phone hears from now on, for so long. */
  async function hears(call: PhoneCall, ms: number): Promise<Int16Array> {
    const before = (await call.recording()).pcm.length;
    await sleep(ms);
    return (await call.recording()).pcm.slice(before);
  }

  async function expectTwoWayAudio(one: PhoneCall, other: PhoneCall): Promise<void> {
    void one.play(sine(HERE_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
    void other.play(sine(THERE_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
    await sleep(600);
    const [first, second] = await Promise.all([hears(one, 1_000), hears(other, 1_000)]);
    expect(amplitudeAt(first, THERE_HZ)).toBeGreaterThan(AMPLITUDE / 2);
    expect(amplitudeAt(second, HERE_HZ)).toBeGreaterThan(AMPLITUDE / 2);
  }

  /** The agent speaks to this phone, and hears it. */
  async function expectConversation(path: string, phone: PhoneCall): Promise<void> {
    const said = await stack.api<{ code?: string }>('POST', `${path}/say`, { text: 'Now I am talking to you.' });
    expect([said.status, said.body.code]).toEqual([200, undefined]);
    expect(rms(await hears(phone, 1_500))).toBeGreaterThan(100);
    const before = (await events(path, 'dtmf')).length;
    await phone.sendDigits('5');
    await waitFor('the key', 5_000, async () => ((await events(path, 'dtmf')).length > before ? true : undefined));
  }

  async function refused(by: Phone, header: Header): Promise<number> {
    const error = await by.call(DIALED, { headers: [header] }).then(
      () => null,
      (why: unknown) => why,
    );
    return error instanceof CallRefused ? error.status : 200;
  }

  const at = (phone: Phone, user = 'colleague'): string => `sip:${user}@127.0.0.1:${phone.port}`;

  /** Status lines of what they tell of our REFER, and the state of the subscription at the last. */
  const notified = ({ notifies }: PhoneCall): string[] => notifies.map(({ body }) => body.trim());
  const subscription = ({ notifies }: PhoneCall): string => headerOf(notifies.at(-1)!, 'subscription-state');

  const finallyNotified = (phone: PhoneCall): Promise<string> =>
    waitFor('the last NOTIFY', 20_000, async () =>
      phone.notifies.length > 0 && subscription(phone).startsWith('terminated') ? notified(phone).at(-1) : undefined,
    );

  /** Credentials of its inbound trunk. */
  async function otherOrganisation(): Promise<Credentials> {
    const { body: org } = await stack.api<{ api_key: string }>('POST', '/orgs', { name: 'Somebody Else' });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      {},
      { authorization: `Bearer ${org.api_key}` },
    );
    await sleep(1_000);
    return { username: trunk.body.auth_username, password: trunk.body.auth_password };
  }

  describe('by a REFER', () => {
    it('goes on with who answers there: 202, NOTIFY until the end, and a BYE for the phone before', async () => {
      const { phone, path } = await answered();
      expect(await phone.refer(at(colleague), [['Referred-By', '<sip:operator@127.0.0.1>']])).toBe(202);
      const next = await colleague.nextCall();
      expect(await finallyNotified(phone)).toBe('SIP/2.0 200 OK');
      expect(notified(phone)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 180 Ringing', 'SIP/2.0 200 OK']);
      expect(await phone.ended).toMatchObject({ by: 'them', reason: expect.stringContaining('replaced') });
      const { message } = colleague.invites.at(-1)!;
      expect(headerOf(message, 'referred-by')).toBe('<sip:operator@127.0.0.1>');
      expect(headerOf(message, 'from')).toContain(DIALED);
      await expectConversation(path, next);
      const told = await waitFor('both events', 5_000, async () => {
        const found = await events(path, 'peer_referred');
        return found.length === 2 ? found : undefined;
      });
      expect(told).toMatchObject([
        { data: { outcome: 'accepted', sip_status: 202 } },
        { data: { outcome: 'done', sip_status: 200 } },
      ]);
      expect(await events(path, 'leg_replaced')).toMatchObject([
        { data: { by: 'refer', sip_call_id: next.sipCallId } },
      ]);
      const ladder = await events(path, 'sip');
      const methods = ladder.map(({ data }) => String((data['entry'] as { method: string } | undefined)?.method));
      expect(methods).toEqual(expect.arrayContaining(['REFER', 'NOTIFY', 'INVITE', 'BYE']));
      await next.hangup();
      expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup', ended_by: 'caller' });
    }, 60_000);

    const itWithSipp = hasSipp() ? it : it.skip;

    itWithSipp(
      'is understood by a phone that is not ours',
      async () => {
        answering = { status: 200 };
        const done = runSipp({
          scenario: 'refer-blind.xml',
          service: DIALED,
          remotePort: stack.sipPort,
          credentials,
          keys: { refer_port: String(colleague.port) },
          timeoutSeconds: 30,
        });
        const next = await colleague.nextCall();
        expect(await done).toMatchObject({ successful: 1, failed: 0 });
        expect(next.over).toBe(false);
        await next.hangup();
      },
      60_000,
    );

    it('keeps whom the phone was joined to', async () => {
      const { phone, path } = await answered();
      await stack.api('POST', `${path}/transfer`, { type: 'phone', value: newNumber(), mode: 'bridge' });
      const there = await far.nextCall();
      await expectTwoWayAudio(phone, there);
      expect(await phone.refer(at(colleague))).toBe(202);
      const next = await colleague.nextCall();
      await phone.ended;
      await expectTwoWayAudio(next, there);
      await there.hangup();
      await next.ended;
      expect(await ended(path)).toMatchObject({ end_reason: 'transferred', ended_by: 'callee' });
    }, 60_000);

    it('of whom the caller was joined to takes the caller to the next phone there, with Replaces too', async () => {
      const { phone, path } = await answered();
      await stack.api('POST', `${path}/transfer`, { type: 'phone', value: newNumber(), mode: 'bridge' });
      const there = await far.nextCall();
      await expectTwoWayAudio(phone, there);
      expect(await there.refer('sip:200@192.0.2.1')).toBe(603);
      expect(await there.refer(`${at(colleague)}?Replaces=consult%40pbx%3Bto-tag%3Da%3Bfrom-tag%3Db`)).toBe(202);
      const next = await colleague.nextCall();
      expect(headerOf(colleague.invites.at(-1)!.message, 'replaces')).toBe('consult@pbx;to-tag=a;from-tag=b');
      expect(await finallyNotified(there)).toBe('SIP/2.0 200 OK');
      expect(await there.ended).toMatchObject({ by: 'them', reason: expect.stringContaining('replaced') });
      await expectTwoWayAudio(phone, next);
      expect(await told(path, 'leg_replaced')).toMatchObject({
        data: { by: 'refer', sip_call_id: next.sipCallId, leg: there.sipCallId },
      });
      expect(await told(path, 'peer_refer_refused')).toMatchObject({
        data: { why: 'foreign_target', leg: there.sipCallId },
      });
      await next.hangup();
      expect((await phone.ended).by).toBe('them');
      expect(await ended(path)).toMatchObject({ end_reason: 'transferred', ended_by: 'callee' });
    }, 60_000);

    it('waits with the agent for who answers when the phone hangs up at once', async () => {
      const { phone, path } = await answered();
      answering = { status: 200, ringMs: 2_000 };
      expect(await phone.refer(at(colleague))).toBe(202);
      await phone.hangup();
      const next = await colleague.nextCall();
      await expectConversation(path, next);
      await next.hangup();
      expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    }, 60_000);

    it('with Replaces takes the place of the consultation there', async () => {
      const { phone, path } = await answered();
      // The operator has asked the colleague first: a call between the two that we do not see.
      expect(await phone.refer(`${at(colleague)}?Replaces=consult%40pbx%3Bto-tag%3Da%3Bfrom-tag%3Db`)).toBe(202);
      const next = await colleague.nextCall();
      const { message } = colleague.invites.at(-1)!;
      expect(headerOf(message, 'replaces')).toBe('consult@pbx;to-tag=a;from-tag=b');
      expect(headerOf(message, 'require')).toBe('replaces');
      await expectConversation(path, next);
      await next.hangup();
      await ended(path);
    }, 60_000);

    it('leaves the call as it was where nobody comes', async () => {
      const { phone, path } = await answered();
      answering = { status: 486 };
      expect(await phone.refer(at(colleague))).toBe(202);
      expect(await finallyNotified(phone)).toBe('SIP/2.0 486 Busy Here');
      await waitFor('the event', 5_000, async () =>
        (await events(path, 'peer_referred')).find(
          ({ data }) => data['outcome'] === 'failed' && data['sip_status'] === 486,
        ),
      );
      await expectConversation(path, phone);
      await phone.hangup();
      expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    }, 60_000);

    it('is refused to anybody else, and to emergency numbers', async () => {
      const { phone, path } = await answered();
      const before = colleague.invites.length;
      expect(await phone.refer('sip:200@192.0.2.1')).toBe(603);
      expect(await phone.refer(at(colleague, '911'))).toBe(603);
      expect(await phone.refer(at(colleague, '+1911'))).toBe(603);
      expect(await phone.refer(at(colleague, '+19005550100'))).toBe(603);
      expect(await phone.refer('tel:+15557654321')).toBe(603);
      const refusals = await waitFor('the refusals', 5_000, async () => {
        const told = await events(path, 'peer_refer_refused');
        return told.length === 5 ? told : undefined;
      });
      expect(refusals.map(({ data }) => data['why'])).toEqual([
        'foreign_target',
        'emergency_number',
        'emergency_number',
        'destination_not_allowed',
        'not_a_target',
      ]);
      expect(colleague.invites).toHaveLength(before);
      await expectConversation(path, phone);
      await phone.hangup();
      await ended(path);
    }, 60_000);

    it('is one at a time, and none while we transfer', async () => {
      const { phone, path } = await answered();
      answering = { status: 200, ringMs: 2_000 };
      expect(await phone.refer(at(colleague))).toBe(202);
      expect(await phone.refer(at(colleague))).toBe(491);
      const ours = { type: 'phone', value: newNumber(), mode: 'bridge' };
      const refused = await stack.api<{ code: string }>('POST', `${path}/transfer`, ours);
      expect([refused.status, refused.body.code]).toEqual([409, 'transferring']);
      const next = await colleague.nextCall();
      await phone.ended;
      answering = { ring: 'forever' };
      expect((await stack.api('POST', `${path}/transfer`, ours)).status).toBe(200);
      await sleep(500);
      expect(await next.refer(at(operator))).toBe(491);
      await next.hangup();
      await ended(path);
    }, 60_000);

    it('without subscription is followed without a word (RFC 4488)', async () => {
      const { phone, path } = await answered();
      expect(await phone.refer(at(colleague), [['Refer-Sub', 'false']])).toBe(202);
      const next = await colleague.nextCall();
      await phone.ended;
      expect(phone.notifies).toEqual([]);
      await next.hangup();
      await ended(path);
    }, 60_000);

    it('is followed once when the worker dies meanwhile', async () => {
      const { phone, path } = await answered();
      const before = colleague.invites.length;
      const pid = stack.kill('worker');
      expect(await phone.refer(at(colleague))).toBe(202);
      const last = await finallyNotified(phone);
      await stack.waitForNewPid('worker', pid, 30_000);
      await stack.waitReady(30_000);
      await waitFor('the worker to work', 30_000, async () =>
        (await stack.api('POST', `${path}/unmute`)).status === 200 ? true : undefined,
      );
      // In time, or not at all: never late, and never twice.
      const followed = last === 'SIP/2.0 200 OK';
      expect(last).toMatch(/^SIP\/2\.0 (200 OK|503 )/);
      expect(colleague.invites).toHaveLength(before + (followed ? 1 : 0));
      const next = followed ? await colleague.nextCall() : phone;
      await expectConversation(path, next);
      await next.hangup();
      await ended(path);
    }, 90_000);

    it('is not followed while Temporal is away, nor when it is back', async () => {
      const { phone, path } = await answered();
      const before = colleague.invites.length;
      stack.kill('temporal', 'SIGSTOP');
      expect(await phone.refer(at(colleague))).toBe(202);
      expect(await finallyNotified(phone)).toMatch(/^SIP\/2\.0 503 /);
      stack.kill('temporal', 'SIGCONT');
      await stack.waitReady(30_000);
      await sleep(3_000);
      expect(colleague.invites).toHaveLength(before);
      expect(phone.over).toBe(false);
      await phone.hangup();
      await ended(path);
    }, 90_000);
  });

  describe('by an INVITE with Replaces', () => {
    it('goes on there, and the phone before gets a BYE', async () => {
      const { phone, path } = await answered();
      await expectConversation(path, phone);
      const next = await colleague.call(DIALED, { headers: [replaces(phone), ['Require', 'replaces']] });
      expect(await phone.ended).toMatchObject({ by: 'them', reason: expect.stringContaining('replaced') });
      expect(await told(path, 'leg_replaced')).toMatchObject({ data: { by: 'replaces', sip_call_id: next.sipCallId } });
      await expectConversation(path, next);
      expect(await find(path)).toMatchObject({ status: 'in_progress', sip: { call_id: phone.sipCallId } });
      const page = await stack.api<{ items: Call[] }>('GET', '/phone/calls?status=in_progress');
      expect(page.body.items.map(({ sip }) => sip.call_id)).not.toContain(next.sipCallId);
      await next.hangup();
      expect(await ended(path)).toMatchObject({ end_reason: 'caller_hangup', ended_by: 'caller' });
    }, 60_000);

    it('keeps a caller with whom it was joined to', async () => {
      const { phone, path } = await answered();
      await stack.api('POST', `${path}/transfer`, { type: 'phone', value: newNumber(), mode: 'bridge' });
      const there = await far.nextCall();
      await expectTwoWayAudio(phone, there);
      const next = await colleague.call(DIALED, { headers: [replaces(phone)] });
      await phone.ended;
      await expectTwoWayAudio(next, there);
      // And the other side of it by the other phone.
      const last = await operator.call(DIALED, { headers: [replaces(there)] });
      await there.ended;
      await waitFor('the event', 5_000, async () =>
        (await events(path, 'leg_replaced')).find(({ data }) => data['leg'] === there.sipCallId),
      );
      await expectTwoWayAudio(next, last);
      await last.hangup();
      expect((await next.ended).by).toBe('them');
      expect(await ended(path)).toMatchObject({ end_reason: 'transferred', ended_by: 'callee' });
    }, 60_000);

    it('is refused as RFC 3891 has it, and the call is as it was', async () => {
      const { phone, path } = await answered();
      expect(await refused(colleague, ['Replaces', 'nobody@knows;to-tag=a;from-tag=b'])).toBe(481);
      expect(await refused(colleague, replaces(phone, ';early-only'))).toBe(486);
      expect(await refused(colleague, ['Replaces', 'no-tags'])).toBe(400);
      const stranger = await Phone.open({ media, server: { address: stack.sipHost, port: stack.sipPort } });
      expect(await refused(stranger, replaces(phone))).toBe(401);
      stranger.close();
      const other = await Phone.open({
        media,
        server: { address: stack.sipHost, port: stack.sipPort },
        credentials: await otherOrganisation(),
      });
      expect(await refused(other, replaces(phone))).toBe(481);
      other.close();
      await expectConversation(path, phone);
      await phone.hangup();
      await ended(path);
      expect(await refused(colleague, replaces(phone))).toBe(603);
    }, 60_000);
  });
});
