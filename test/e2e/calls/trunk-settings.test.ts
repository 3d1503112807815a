/** Settings of trunks, from the request that makes them to what is seen on the wire. */
import { newNumber, OutboundCalls } from '../../support/outbound';
import { CallRefused } from '../../support/phone/dialling';
import { PhoneMedia } from '../../support/phone/media';
import type { PhoneOptions } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import { headerOf, uriOf } from '../../support/phone/sip-text';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const INBOUND = '/phone/sip/inbound-trunk';
const NUMBER = '+15551234567';
const [LISTED, OTHER] = ['127.0.4.1', '127.0.5.1'];

describe('settings of trunks', () => {
  let stack: Stack;
  let media: PhoneMedia;
  const phones: Phone[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    media = new PhoneMedia();
  }, 90_000);

  afterAll(async () => {
    for (const phone of phones) phone.close();
    await media?.close();
    await stack?.stop();
  }, 60_000);

  const open = async (options: Omit<PhoneOptions, 'media'> = {}): Promise<Phone> => {
    const server = { address: '127.0.0.1', port: stack.sipPort };
    const phone = await Phone.open({ media, server, ...options });
    phones.push(phone);
    return phone;
  };

  describe('of the inbound trunk', () => {
    beforeAll(async () => {
      await stack.api('POST', '/phone', { name: 'Agent', silence_timeout_seconds: 60 });
      await stack.api('POST', INBOUND, { phone_numbers: [NUMBER] });
    });

    /** Acted on by the node when this returns, as the answer says. */
    const patch = async (body: object): Promise<{ auth_username: string; auth_password: string }> => {
      const answer = await stack.api<{ propagating?: true; auth_username: string; auth_password: string }>(
        'PATCH',
        INBOUND,
        body,
      );
      expect(answer.status).toBe(200);
      await waitFor('the node to act on it', 1_000, async () => {
        const { body: trunk } = await stack.api<{ propagating?: true }>('GET', INBOUND);
        return trunk.propagating === true ? undefined : true;
      });
      return answer.body;
    };

    const refusal = async (phone: Phone): Promise<CallRefused> => {
      const call = await phone.call(NUMBER).catch((error: unknown) => error);
      if (call instanceof CallRefused) return call;
      throw new Error('the call was taken');
    };

    it('auth ip: calls of listed addresses are taken as they come, those of others are challenged', async () => {
      await patch({ auth: 'ip', ip_allowlist: ['127.0.4.0/24'] });
      const call = await (await open({ address: LISTED })).call(NUMBER);
      await call.hangup();
      expect((await refusal(await open({ address: OTHER }))).status).toBe(401);
      // From now on it is by the password again, and from the list alone.
      const { auth_username: username, auth_password: password } = await patch({ auth: 'digest' });
      const credentials = { username, password };
      expect((await refusal(await open({ address: LISTED }))).status).toBe(401);
      expect((await refusal(await open({ address: OTHER, credentials }))).status).toBe(403);
      await (await (await open({ address: LISTED, credentials })).call(NUMBER)).hangup();
      await patch({ ip_allowlist: [] });
      await (await (await open({ address: OTHER, credentials })).call(NUMBER)).hangup();
    }, 60_000);

    it('codecs and max_concurrent_calls: our order in the answer, and busy when full', async () => {
      const settings = { codecs: ['PCMA', 'PCMU'], max_concurrent_calls: 1 };
      const { auth_username: username, auth_password: password } = await patch(settings);
      const phone = await open({ credentials: { username, password }, codecs: ['PCMU', 'PCMA'] });
      const call = await phone.call(NUMBER);
      expect(call.codec).toBe('PCMA');
      const refused = await refusal(phone);
      expect([refused.status, refused.response?.startLine]).toEqual([
        486,
        'SIP/2.0 486 Trunk Carries As Many Calls As It May',
      ]);
      expect(headerOf(refused.response!, 'retry-after')).toBe('5');
      await call.hangup();
      await patch({ max_concurrent_calls: null, codecs: null });
    }, 60_000);
  });

  describe('of an outbound trunk', () => {
    let calls: OutboundCalls;

    beforeAll(async () => {
      calls = await OutboundCalls.create(stack);
    });

    it('number_format, from_host, headers and codecs stand in the INVITE', async () => {
      const carrier = await open();
      const trunk = await calls.trunkTo(carrier.port, {
        number_format: 'e164_no_plus',
        from_host: 'acme.example',
        headers: { 'X-Account': '4711', 'P-Charge-Info': '<sip:+15551230000@acme.example>' },
        codecs: ['PCMA', 'PCMU'],
      });
      const number = newNumber();
      const call = await calls.place(trunk, number);
      expect(call.to).toBe(number);
      await calls.ended(call.id);
      const [invite] = carrier.invites;
      const digits = number.slice(1);
      expect(invite?.user).toBe(digits);
      expect(uriOf(headerOf(invite!.message, 'to'))).toBe(`sip:${digits}@127.0.0.1:${carrier.port}`);
      expect(uriOf(headerOf(invite!.message, 'from'))).toBe('sip:15551230000@acme.example');
      expect(headerOf(invite!.message, 'x-account')).toBe('4711');
      expect(headerOf(invite!.message, 'p-charge-info')).toBe('<sip:+15551230000@acme.example>');
      expect(invite!.message.body).toMatch(/^m=audio \d+ RTP\/AVP 8 0 101\r?$/m);
    }, 60_000);

    it.each([
      ['national', {}, (number: string) => number.slice(2)],
      ['prefix', { number_prefix: '99#' }, (number: string) => `99#${number.slice(1)}`],
    ])(
      'number_format %s',
      async (number_format, more, expected) => {
        const carrier = await open();
        const number = newNumber();
        const trunk = await calls.trunkTo(carrier.port, { number_format, ...more });
        await calls.ended((await calls.place(trunk, number)).id);
        expect(decodeURIComponent(carrier.invites[0]?.user ?? '')).toBe(expected(number));
      },
      60_000,
    );

    it('gateways: the next one gets the call that the first cannot take, as the record tells', async () => {
      const full = await open({ answer: () => ({ status: 503, reason: 'Service Unavailable' }) });
      const free = await open({ answer: () => ({ status: 486, reason: 'Busy Here' }) });
      const gateways = [
        { host: '127.0.0.1', port: free.port, priority: 2 },
        { host: '127.0.0.1', port: full.port, priority: 1 },
      ];
      const trunk = await calls.trunkTo(9, { gateways });
      const number = newNumber();
      const call = await calls.ended((await calls.place(trunk, number)).id);
      expect(call).toMatchObject({ disposition: 'busy', sip: { final_status: 486 } });
      const [first, second] = [full, free].map(({ invites }) => invites.map(({ sipCallId }) => sipCallId));
      expect(first).toEqual([call.sip.call_id]);
      expect(second).toEqual(first);
      const events = (await calls.events(call.id)) as { type: string; data?: object }[];
      expect(events.find(({ type }) => type === 'target_unreachable')?.data).toMatchObject({
        target: `127.0.0.1:${full.port}/udp`,
        reason: 'answered 503',
      });
    }, 60_000);
  });
});
