/** Transfers to and by phone systems that are not ours: baresip, SIPp, and Kamailio between. */
import { setTimeout as sleep } from 'node:timers/promises';

import { Baresip, hasBaresip } from '../../support/baresip';
import { freePort } from '../../support/free-ports';
import { hasKamailio, Kamailio } from '../../support/kamailio';
import { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { hasSipp } from '../../support/sipp';
import { SippCarrier } from '../../support/sipp-carrier';
import { amplitudeAt, sine } from '../../support/tones';
import { waitFor } from '../../support/wait-for';
import { DIALED, MatrixStack } from '../../support/transfer/matrix-stack';
import type { MatrixCall, TransferRecord } from '../../support/transfer/matrix-stack';

const SAMPLES_PER_MS = 8;
const CALLER_HZ = 700;
const FAR_HZ = 1_150;
const AMPLITUDE = 6_000;
const LIMIT_MS = 30_000;
const REGISTERED = { username: 'sales', password: 'kamailio-secret' };
const withBaresip = hasBaresip() && hasKamailio() ? it : it.skip;
const withKamailio = hasKamailio() ? it : it.skip;
const withSipp = hasSipp() ? it : it.skip;

describe('a transfer among other phone systems', () => {
  let matrix: MatrixStack;
  let proxy: Kamailio | null = null;

  beforeAll(async () => {
    matrix = await MatrixStack.start();
    // In front of the product, and of whoever has registered.
    if (hasKamailio()) proxy = await Kamailio.start(await freePort(), REGISTERED, matrix.stack.sipPort);
  }, 150_000);

  afterAll(async () => {
    await proxy?.stop();
    await matrix?.close();
  }, 60_000);

  afterEach(async () => {
    await matrix.untilNothingIsLeft(LIMIT_MS);
  }, 60_000);

  async function transfer(callId: string, body: object): Promise<string> {
    const answer = await matrix.stack.api<{ transfer_id: string }>('POST', `/phone/calls/${callId}/transfer`, body);
    expect([answer.status, answer.body]).toEqual([200, { transfer_id: expect.any(String) }]);
    return answer.body.transfer_id;
  }

  const outcomeOf = (callId: string): Promise<TransferRecord> =>
    waitFor('the outcome', LIMIT_MS, async () => {
      const last = (await matrix.find(callId))?.transfer;
      return last?.outcome == null ? undefined : last;
    });

  const hears = (call: PhoneCall, hz: number): Promise<true> =>
    waitFor(`${hz} Hz`, 10_000, async () => {
      const { pcm } = await call.recording();
      return amplitudeAt(pcm.slice(-800 * SAMPLES_PER_MS), hz) > AMPLITUDE / 3 ? true : undefined;
    });

  withBaresip(
    'is asked of baresip, which calls them by itself and tells us how it went',
    async () => {
      const { credentials } = matrix.pbx.options;
      const server = { address: matrix.stack.sipHost, port: matrix.stack.sipPort };
      matrix.answers.set('support', { status: 200, ringMs: 300 });
      const phone = await Baresip.call(DIALED, { server, credentials: credentials! });
      try {
        await phone.established(LIMIT_MS);
        const { id } = await waitFor('the call', LIMIT_MS, async () => {
          const page = await matrix.stack.api<{ items: MatrixCall[] }>('GET', '/phone/calls?status=in_progress');
          return page.body.items[0];
        });
        await transfer(id, { type: 'sip', value: `sip:support@127.0.0.1:${matrix.far.port}`, mode: 'auto' });
        expect(await outcomeOf(id)).toMatchObject({ mode: 'refer', outcome: 'transferred', sip_status: 200 });
        expect(await matrix.ended(id, LIMIT_MS)).toMatchObject({ end_reason: 'transferred' });
        const invites = matrix.far.invites.filter(({ user }) => user === 'support');
        // By baresip, once, and not by us.
        expect(invites.map(({ fromUser }) => fromUser)).toEqual([credentials!.username]);
      } finally {
        await phone.stop();
      }
    },
    90_000,
  );

  withBaresip(
    'reaches baresip, which has registered with a proxy: both hear each other, and it is hung up with the caller',
    async () => {
      const tone = sine(FAR_HZ, 20_000 * SAMPLES_PER_MS, AMPLITUDE);
      const server = { address: '127.0.0.1', port: proxy!.port };
      const there = await Baresip.register({ server, credentials: REGISTERED, says: tone });
      let heard: Int16Array;
      try {
        await waitFor('the registration', LIMIT_MS, () => (/200 OK/.test(there.output) ? true : undefined));
        const { phone, id } = await matrix.answered(matrix.plain);
        await transfer(id, { type: 'sip', value: `sip:${REGISTERED.username}@127.0.0.1:${proxy!.port}`, mode: 'auto' });
        expect(await outcomeOf(id)).toMatchObject({ mode: 'bridge', outcome: 'transferred', sip_status: 200 });
        void phone.play(sine(CALLER_HZ, 3_000 * SAMPLES_PER_MS, AMPLITUDE));
        await hears(phone, FAR_HZ);
        await sleep(1_500);
        await phone.hangup();
        await there.closed(LIMIT_MS);
        expect(await matrix.ended(id, LIMIT_MS)).toMatchObject({ end_reason: 'transferred', ended_by: 'caller' });
      } finally {
        heard = await there.stop();
      }
      expect(loudest(heard, CALLER_HZ)).toBeGreaterThan(AMPLITUDE / 3);
    },
    90_000,
  );

  withKamailio(
    'goes by a REFER through a proxy, and by a bridge where it is of no use',
    async () => {
      const phones = await Phone.open({ ...matrix.pbx.options, server: { address: '127.0.0.1', port: proxy!.port } });
      try {
        const { phone, id } = await matrix.answered(phones);
        expect(phone.dialog.routes).toHaveLength(1);
        phone.answerRefer = () => 202;
        matrix.answers.set('sales-direct', { status: 200, ringMs: 300 });
        const transferId = await transfer(id, {
          type: 'sip',
          value: `sip:sales-direct@127.0.0.1:${matrix.far.port}`,
          mode: 'auto',
        });
        await waitFor('the REFER', LIMIT_MS, () => phone.refers[0]);
        await sleep(100);
        expect(await phone.notifyReferred(503, 'Service Unavailable', 'terminated;reason=noresource')).toBe(200);
        expect(await outcomeOf(id)).toMatchObject({ mode: 'bridge', outcome: 'transferred' });
        const there = await waitFor('the other leg', LIMIT_MS, () => matrix.far.calls.get(transferId));
        void there.play(sine(FAR_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
        void phone.play(sine(CALLER_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
        await Promise.all([hears(phone, FAR_HZ), hears(there, CALLER_HZ)]);
        await there.hangup();
        expect((await phone.ended).by).toBe('them');
        expect(await matrix.ended(id, LIMIT_MS)).toMatchObject({ end_reason: 'transferred', ended_by: 'callee' });
        expect(phone.refers).toHaveLength(1);
      } finally {
        phones.close();
      }
    },
    90_000,
  );

  withSipp(
    'reaches SIPp, which sends the caller its own voice back, and is hung up with it',
    async () => {
      const carrier = await SippCarrier.start({ scenario: 'carrier-answer.xml', echo: true });
      try {
        const { phone, id } = await matrix.answered(matrix.plain);
        await transfer(id, { type: 'sip', value: `sip:echo@127.0.0.1:${carrier.port}`, mode: 'bridge' });
        expect(await outcomeOf(id)).toMatchObject({ mode: 'bridge', outcome: 'transferred' });
        void phone.play(sine(CALLER_HZ, 4_000 * SAMPLES_PER_MS, AMPLITUDE));
        await hears(phone, CALLER_HZ);
        await phone.hangup();
        await carrier.waitForRequest('BYE', 'echo', LIMIT_MS);
        expect(carrier.callIds('echo')).toHaveLength(1);
        expect(await matrix.ended(id, LIMIT_MS)).toMatchObject({ end_reason: 'transferred', ended_by: 'caller' });
      } finally {
        await carrier.stop();
      }
    },
    90_000,
  );

  withSipp.each([
    ['is busy', { scenario: 'carrier-final.xml', keys: { status: '486', phrase: 'Busy' } }, 'busy', null],
    ['rings in vain', { scenario: 'carrier-ring.xml' }, 'no_answer', 'CANCEL'],
  ] as const)(
    'comes back from SIPp, which %s',
    async (_, options, outcome, last) => {
      const carrier = await SippCarrier.start(options);
      try {
        const { phone, id } = await matrix.answered(matrix.plain);
        const body = {
          type: 'sip',
          value: `sip:desk@127.0.0.1:${carrier.port}`,
          mode: 'bridge',
          ring_timeout_seconds: 5,
        };
        await transfer(id, body);
        expect(await outcomeOf(id)).toMatchObject({ mode: 'bridge', outcome, failed_step: 'dial' });
        if (last !== null) await carrier.waitForRequest(last, 'desk', LIMIT_MS);
        expect(carrier.invites('desk')).toHaveLength(1);
        expect((await matrix.stack.api('POST', `/phone/calls/${id}/say`, { text: 'Anything else?' })).status).toBe(200);
        await phone.hangup();
        expect(await matrix.ended(id, LIMIT_MS)).toMatchObject({ end_reason: 'caller_hangup' });
      } finally {
        await carrier.stop();
      }
    },
    90_000,
  );
});

/** In any 400 ms. */
function loudest(pcm: Int16Array, hz: number): number {
  const length = 400 * SAMPLES_PER_MS;
  let most = 0;
  for (let at = 0; at + length <= pcm.length; at += length) {
    most = Math.max(most, amplitudeAt(pcm.subarray(at, at + length), hz));
  }
  return most;
}
