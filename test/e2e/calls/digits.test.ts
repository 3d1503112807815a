/** Digits on the wire: by telephone-event under either number, by INFO, and by both at once. */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber, OutboundCalls } from '../../support/outbound';
import { PhoneMedia } from '../../support/phone/media';
import type { PhoneOptions } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { headerOf } from '../../support/phone/sip-text';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const DIALED = '+15551234567';
const RELAY = 'application/dtmf-relay';

describe('digits', () => {
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

  async function pressed(callId: string): Promise<string[]> {
    const { body } = await stack.api<{ turns: { text: string }[] }>('GET', `/phone/calls/${callId}/transcript`);
    return body.turns.map(({ text }) => text).filter((text) => text.startsWith('[pressed'));
  }

  function info(call: PhoneCall, digit: string, contentType: string): Promise<number | undefined> {
    return call.request('INFO', `Signal=${digit}\r\nDuration=100\r\n`, contentType).then((answer) => answer?.status);
  }

  it('of a phone that tells each press by INFO and by event are heard once', async () => {
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: '' });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    const { auth_username: username, auth_password: password } = trunk.body;
    const server = { address: stack.sipHost, port: stack.sipPort };
    const phone = await Phone.open({ media, server, credentials: { username, password } });
    phones.push(phone);
    await sleep(1_000);
    const call = await phone.call(DIALED);
    for (const digit of '1123') {
      await info(call, digit, RELAY);
      await call.sendDigits(digit);
    }
    // Under the other type's body too, and after its event.
    await call.sendDigits('8');
    expect(await info(call, '8', 'application/dtmf')).toBe(200);
    await sleep(2_500);
    await call.hangup();
    const { id } = await waitFor('the record', 15_000, async () => {
      const { body } = await stack.api<{ items: { id: string; status: string }[] }>('GET', '/phone/calls?limit=1');
      return body.items.find(({ status }) => status === 'completed');
    });
    expect(await pressed(id)).toEqual(['[pressed 1 1 2 3 8]']);
  }, 60_000);

  it('of a carrier whose answer renumbers telephone-event are heard under our number', async () => {
    const calls = await OutboundCalls.create(stack);
    const carrier = await Phone.open({ media, answer: () => ({ status: 200 }), eventPayloadType: 96 });
    phones.push(carrier);
    const { id } = await calls.place(await calls.trunkTo(carrier.port), newNumber());
    const call = await carrier.nextCall();
    await sleep(500);
    await call.sendDigits('57');
    await sleep(2_500);
    await call.hangup();
    await calls.ended(id);
    expect(await pressed(id)).toEqual(['[pressed 5 7]']);
  }, 60_000);

  describe('of ours', () => {
    const signals = (call: PhoneCall): (string | undefined)[] =>
      call.infos.map(({ body }) => /^Signal=(.)\r\nDuration=\d+\r\n$/.exec(body)?.[1]);

    async function placed(more: object, phone: Partial<PhoneOptions> = {}): Promise<{ call: PhoneCall; path: string }> {
      const calls = await OutboundCalls.create(stack);
      const carrier = await Phone.open({ media, answer: () => ({ status: 200 }), ...phone });
      phones.push(carrier);
      const { id } = await calls.place(await calls.trunkTo(carrier.port, { ...more }), newNumber());
      const call = await carrier.nextCall();
      await calls.until(id, 'in_progress');
      return { call, path: `/phone/calls/${id}` };
    }

    const press = async (path: string, digits: string): Promise<[number, string | undefined]> => {
      const { status, body } = await stack.api<{ code?: string }>('POST', `${path}/dtmf`, { digits });
      return [status, body.code];
    };

    it('are sent by INFO where the trunk says so, and answered when the last was taken', async () => {
      const { call, path } = await placed({ dtmf_mode: 'info' });
      expect(await press(path, '4w2#')).toEqual([200, undefined]);
      expect(signals(call)).toEqual(['4', '2', '#']);
      expect(call.infos.map((info) => headerOf(info, 'content-type'))).toEqual([RELAY, RELAY, RELAY]);
      expect((await call.recording()).pressed).toBe('');
      call.answerInfo = 415;
      expect(await press(path, '12')).toEqual([409, 'failed']);
      expect(signals(call)).toEqual(['4', '2', '#', '1']);
      await call.hangup();
    }, 60_000);

    it('and where no telephone-event was agreed on, unless the trunk wants no other', async () => {
      const sdpText = (sdp: string): string =>
        sdp.replace(/ 101\r\n/, '\r\n').replace(/a=(rtpmap|fmtp):101.*\r\n/g, '');
      const auto = await placed({}, { sdpText });
      expect(await press(auto.path, '7')).toEqual([200, undefined]);
      expect(signals(auto.call)).toEqual(['7']);
      await auto.call.hangup();
      const strict = await placed({ dtmf_mode: 'rfc4733' }, { sdpText });
      expect(await press(strict.path, '7')).toEqual([409, 'no_telephone_event']);
      expect(strict.call.infos).toEqual([]);
      await strict.call.hangup();
    }, 60_000);

    it('pressed by who was called are sent on by INFO to whom the call is handed over', async () => {
      const { call, path } = await placed({});
      const far = await Phone.open({
        media,
        answer: () => ({ status: 200 }),
        sdpText: (sdp) => sdp.replace(/ 101\r\n/, '\r\n').replace(/a=(rtpmap|fmtp):101.*\r\n/g, ''),
      });
      phones.push(far);
      const target = { type: 'sip', value: `sip:sales@127.0.0.1:${far.port}`, mode: 'bridge' };
      expect((await stack.api('POST', `${path}/transfer`, target)).status).toBe(200);
      const there = await far.nextCall();
      await sleep(500);
      await call.sendDigits('53');
      await waitFor('the keys', 5_000, () => Promise.resolve(signals(there).length === 2 || undefined));
      expect(signals(there)).toEqual(['5', '3']);
      await call.hangup();
      await there.ended;
    }, 60_000);
  });
});
