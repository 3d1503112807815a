import { createHash } from 'node:crypto';

import { newNumber, OutboundCalls, TRUNK_PASSWORD, TRUNK_USERNAME } from '../../support/outbound';
import { hasSipp } from '../../support/sipp';
import { SippCarrier } from '../../support/sipp-carrier';
import { Stack } from '../../support/stack';

/** What the credentials of a request say, and what RFC 7616 §3.4.1 computes for ours (MD5, qop auth). */
function digestOf(request: string): { readonly response: string; readonly expected: string } {
  const line = /^(?:Proxy-)?Authorization: Digest (.*?)\r?$/im.exec(request)?.[1] ?? '';
  const field = (name: string): string => new RegExp(`(?:^|[ ,])${name}="?([^",]*)`).exec(line)?.[1] ?? '';
  const md5 = (...parts: string[]): string => createHash('md5').update(parts.join(':')).digest('hex');
  const a1 = md5(TRUNK_USERNAME, field('realm'), TRUNK_PASSWORD);
  const a2 = md5('INVITE', field('uri'));
  const expected = md5(a1, field('nonce'), field('nc'), field('cnonce'), field('qop'), a2);
  return { response: field('response'), expected };
}

const describeWithSipp = hasSipp() ? describe : describe.skip;
const CREDENTIALS = { username: TRUNK_USERNAME, password: TRUNK_PASSWORD };

describeWithSipp('outbound calls through a third-party carrier', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  const carriers: SippCarrier[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    calls = await OutboundCalls.create(stack);
  }, 90_000);

  afterAll(async () => {
    await Promise.all(carriers.map((carrier) => carrier.stop()));
    await stack?.stop();
  }, 60_000);

  async function carrierOf(options: Parameters<typeof SippCarrier.start>[0]): Promise<SippCarrier> {
    const carrier = await SippCarrier.start(options);
    carriers.push(carrier);
    return carrier;
  }

  describe.each([
    ['401', 'WWW-Authenticate'],
    ['407', 'Proxy-Authenticate'],
  ])('a carrier that challenges with %s', (status, header) => {
    const keys = { ...CREDENTIALS, challenge_status: status, challenge_header: header };

    it('gets our credentials in the same Call-ID, answers, and hangs up', async () => {
      const carrier = await carrierOf({ scenario: 'carrier-challenge.xml', keys, pauseMs: 500 });
      const trunk = await calls.trunkTo(carrier.port);
      const numbers = Array.from({ length: 3 }, newNumber);
      const placed = await Promise.all(numbers.map((number) => calls.place(trunk, number)));
      expect(placed.every((call) => call.status !== 'completed')).toBe(true);
      const ended = await Promise.all(placed.map(({ id }) => calls.ended(id)));
      for (const [at, call] of ended.entries()) {
        expect(call).toMatchObject({
          disposition: 'answered',
          end_reason: 'callee_hangup',
          ended_by: 'callee',
          truncated: false,
          sip: { final_status: 200 },
        });
        const invites = carrier.invites(numbers[at] ?? '');
        expect(invites.map(({ hasCredentials }) => hasCredentials)).toEqual([false, true]);
        expect(carrier.callIds(numbers[at] ?? '')).toEqual([call.sip.call_id]);
        const { response, expected } = digestOf(invites[1]?.text ?? '');
        expect(response).toBe(expected);
      }
      // No request but these: SIPp has no other than the ones of its scenario, and no retransmissions are due here.
      expect(new Set(carrier.requests().map(({ method }) => method))).toEqual(new Set(['INVITE', 'ACK']));
    }, 60_000);
  });

  it('gives up after one answer that the carrier does not take', async () => {
    const keys = { ...CREDENTIALS, challenge_status: '401', challenge_header: 'WWW-Authenticate', password: 'another' };
    const carrier = await carrierOf({ scenario: 'carrier-challenge.xml', keys });
    const number = newNumber();
    const call = await calls.place(await calls.trunkTo(carrier.port), number);
    expect(await calls.ended(call.id)).toMatchObject({ disposition: 'trunk_denied', sip: { final_status: 403 } });
    expect(carrier.invites(number)).toHaveLength(2);
    expect(carrier.callIds(number)).toHaveLength(1);
  }, 60_000);

  it('works over TCP', async () => {
    const carrier = await carrierOf({ scenario: 'carrier-answer.xml', transport: 'tcp' });
    const number = newNumber();
    const call = await calls.place(await calls.trunkTo(carrier.port, { transport: 'tcp' }), number);
    await calls.until(call.id, 'in_progress');
    expect((await calls.hangup(call.id)).status).toBe(200);
    expect(await calls.ended(call.id)).toMatchObject({ disposition: 'answered', end_reason: 'api_hangup' });
    expect(carrier.callIds(number)).toEqual([call.sip.call_id ?? (await calls.find(call.id)).sip.call_id]);
  }, 60_000);

  describe('a hang-up by the API', () => {
    it('of a ringing call cancels it at the carrier, and repeated changes nothing', async () => {
      const carrier = await carrierOf({ scenario: 'carrier-ring.xml' });
      const number = newNumber();
      const call = await calls.place(await calls.trunkTo(carrier.port), number);
      await calls.until(call.id, 'ringing');
      expect((await calls.hangup(call.id)).status).toBe(200);
      const cancel = await carrier.waitForRequest('CANCEL', number, 1_000);
      expect(cancel.branch).toBe(carrier.invites(number)[0]?.branch);
      const ended = await calls.ended(call.id);
      expect(ended).toMatchObject({
        disposition: 'canceled',
        end_reason: 'api_hangup',
        ended_by: 'api',
        answered_at: null,
        sip: { final_status: 487 },
      });
      const again = await calls.hangup(call.id);
      expect([again.status, again.body]).toEqual([200, ended]);
      expect(carrier.callIds(number)).toHaveLength(1);
      expect(carrier.requests('CANCEL').filter(({ callId }) => callId === cancel.callId)).toHaveLength(1);
    }, 60_000);

    it('of an answered call sends one BYE, also when it is asked for twice at once', async () => {
      const carrier = await carrierOf({ scenario: 'carrier-answer.xml' });
      const number = newNumber();
      const call = await calls.place(await calls.trunkTo(carrier.port), number);
      await calls.until(call.id, 'in_progress');
      const answers = await Promise.all([calls.hangup(call.id), calls.hangup(call.id)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const bye = await carrier.waitForRequest('BYE', number, 1_000);
      expect(bye.text).toMatch(/^Reason: /m);
      const ended = await calls.ended(call.id);
      expect(ended).toMatchObject({ disposition: 'answered', end_reason: 'api_hangup', ended_by: 'api' });
      expect((await calls.hangup(call.id)).body).toEqual(ended);
      expect(carrier.requests('BYE').filter(({ callId }) => callId === bye.callId)).toHaveLength(1);
    }, 60_000);
  });
});
