/** Two who were joined after a consult are left to the phone system that both are at: REFER with Replaces (RFC 5589 §7). */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber } from '../../support/outbound';
import { CallRefused } from '../../support/phone/dialling';
import type { Phone } from '../../support/phone/phone';
import type { PhoneCall } from '../../support/phone/phone-call';
import { headerOf, tagOf } from '../../support/phone/sip-text';
import type { SipText } from '../../support/phone/sip-text';
import { waitFor } from '../../support/wait-for';
import { followAndTell, followReferral } from '../../support/transfer/follow-referral';
import { DIALED } from '../../support/transfer/matrix-stack';
import { expectTwoWayAudio, TransferStack } from '../../support/transfer/transfer-stack';

const HEARD = 1 / 4;

interface Pair {
  readonly phone: PhoneCall;
  readonly there: PhoneCall;
  readonly path: string;
  readonly refer: SipText;
  readonly number: string;
  /** Answers the REFER. */
  readonly answer: (status: number) => void;
}

describe('an attended hand-over', () => {
  let kit: TransferStack;
  let desk: Phone;

  beforeAll(async () => {
    kit = await TransferStack.start({ agent: { name: 'Ada' }, far: { supports: ['timer', 'replaces'] } });
    desk = await kit.openCaller({ takesRefer: true, supports: ['replaces'] });
  }, 90_000);

  afterAll(async () => {
    await Promise.all([...(desk?.calls.values() ?? [])].map((call) => call.hangup()));
    await kit?.hangUpAll();
    desk?.close();
    await kit?.close();
  }, 60_000);

  /** Who was called has accepted the caller: both hear each other through us, and the REFER has no answer yet. */
  async function accepted(): Promise<Pair> {
    const { phone, path } = await kit.answered(() => desk.call(DIALED));
    let answer: (status: number) => void = () => undefined;
    phone.answerRefer = () => new Promise((resolve) => (answer = resolve));
    const number = newNumber();
    kit.answers.set(number, { status: 200, ringMs: 300 });
    const body = { type: 'phone', value: number, mode: 'warm', briefing: 'A call.' };
    const there = await kit.callOf(await kit.transfer(path, body));
    await there.sendDigits('1');
    expect(await kit.outcomeOf(path)).toMatchObject({ mode: 'warm', outcome: 'transferred', sip_status: 200 });
    const refer = await waitFor('the REFER', 5_000, () => phone.refers[0]);
    await expectTwoWayAudio(phone, there, HEARD);
    return { phone, there, path, refer, number, answer: (status) => answer(status) };
  }

  const stepsOf = async (path: string): Promise<unknown[]> =>
    (await kit.events(path)).flatMap(({ type, data }) => (type === 'consult' ? [data['step']] : []));

  /** Of the record of a call that has been handed over, or of one that we have carried to its end. */
  async function expectEnd(pair: Pair, by: string, handedOver: boolean): Promise<void> {
    expect(await kit.ended(pair.path)).toMatchObject({
      end_reason: 'transferred',
      ended_by: by,
      transfer: { mode: 'warm', outcome: 'transferred', sip_status: 200, failed_step: null },
    });
    expect((await stepsOf(pair.path)).includes('handed_over')).toBe(handedOver);
    expect(pair.phone.refers).toHaveLength(1);
    expect(kit.far.invites.filter(({ user }) => user === pair.number)).toHaveLength(1);
    await kit.untilNoLegIsLeft([pair.phone, pair.there]);
  }

  // Each has calls and a number of its own.
  describe('in which nothing dies', () => {
    it.concurrent(
      'gives the two to each other, in the place of both legs of ours',
      async () => {
        const pair = await accepted();
        const { phone, there, refer, path } = pair;
        const value = decodeURIComponent(/Replaces=([^&>]*)/.exec(headerOf(refer, 'refer-to'))?.[1] ?? '');
        // As the far phone names its dialog with us (RFC 3891 §3): its own tag is the To-tag.
        const { local, remote } = there.dialog;
        expect(value).toBe(`${there.sipCallId};to-tag=${tagOf(local)};from-tag=${tagOf(remote)}`);
        expect(headerOf(refer, 'refer-to')).toMatch(new RegExp(`^<sip:phone@127\\.0\\.0\\.1:${kit.far.port}\\?`));
        expect(headerOf(refer, 'referred-by')).toContain(DIALED);
        expect(headerOf(refer, 'x-opencx-session-id')).toBe((await kit.find(path)).session_id);
        pair.answer(202);
        const direct = await followAndTell(desk, phone, refer);
        const directThere = await waitFor('the far end of it', 5_000, () => kit.far.calls.get(direct.sipCallId));
        expect((await there.ended).by).toBe('us');
        expect((await phone.ended).by).toBe('them');
        await expectTwoWayAudio(direct, directThere, HEARD);
        await expectEnd(pair, 'agent', true);
        // They talk on long after us.
        await expectTwoWayAudio(direct, directThere, HEARD);
        expect([direct.over, directThere.over]).toEqual([false, false]);
      },
      60_000,
    );

    it.concurrent(
      'is one too where the word on it comes later than the BYE of the far phone, and the caller hangs up first',
      async () => {
        const pair = await accepted();
        pair.answer(202);
        const direct = await followReferral(desk, pair.refer);
        expect((await pair.there.ended).by).toBe('us');
        await sleep(1_000);
        expect(pair.phone.over).toBe(false);
        const told = pair.phone.notifyReferred(200, 'OK', 'terminated;reason=noresource');
        expect(await Promise.all([told, pair.phone.hangup()])).toEqual([200, 200]);
        await expectEnd(pair, 'caller', true);
        await expectTwoWayAudio(direct, kit.far.calls.get(direct.sipCallId)!, HEARD);
      },
      60_000,
    );

    it.concurrent(
      'comes about for a phone that hangs up before it calls',
      async () => {
        const pair = await accepted();
        pair.answer(202);
        await sleep(200);
        await pair.phone.hangup();
        await sleep(500);
        const direct = await followReferral(desk, pair.refer);
        await expectTwoWayAudio(direct, kit.far.calls.get(direct.sipCallId)!, HEARD);
        // Nobody has told us of it.
        await expectEnd(pair, 'caller', false);
      },
      60_000,
    );

    it.concurrent(
      'that is refused changes nothing',
      async () => {
        const pair = await accepted();
        const { phone, there } = pair;
        pair.answer(603);
        await sleep(3_000);
        await expectTwoWayAudio(phone, there, HEARD);
        await there.hangup();
        expect((await phone.ended).by).toBe('them');
        await expectEnd(pair, 'callee', false);
      },
      60_000,
    );

    it.concurrent(
      'whose phone does not get there changes nothing',
      async () => {
        const pair = await accepted();
        const { phone, there, refer } = pair;
        pair.answer(202);
        const headers = refer.headers.map(
          ([name, value]) => [name, value.replace('from-tag%3D', 'from-tag%3Dx')] as const,
        );
        const error = await followReferral(desk, { ...refer, headers }).catch((why: unknown) => why);
        expect(error instanceof CallRefused && error.status).toBe(481);
        await phone.notifyReferred(481, 'Call/Transaction Does Not Exist', 'terminated;reason=noresource');
        await sleep(3_000);
        await expectTwoWayAudio(phone, there, HEARD);
        await phone.hangup();
        expect((await there.ended).by).toBe('them');
        await expectEnd(pair, 'caller', false);
      },
      60_000,
    );

    it.concurrent(
      'goes on when the caller is held meanwhile',
      async () => {
        const pair = await accepted();
        expect((await kit.stack.api('POST', `${pair.path}/hold`)).status).toBe(200);
        pair.answer(202);
        await followAndTell(desk, pair.phone, pair.refer);
        expect((await pair.phone.ended).by).toBe('them');
        await expectEnd(pair, 'agent', true);
      },
      60_000,
    );
  });

  it('is asked for once, whatever dies meanwhile', async () => {
    const pair = await accepted();
    const pids = (['worker', 'api', 'temporal'] as const).map((name) => [name, kit.stack.kill(name)] as const);
    pair.answer(202);
    const direct = await followAndTell(desk, pair.phone, pair.refer);
    expect((await pair.there.ended).by).toBe('us');
    expect((await pair.phone.ended).by).toBe('them');
    for (const [name, pid] of pids) await kit.stack.waitForNewPid(name, pid, 30_000);
    await kit.stack.waitReady(30_000);
    await waitFor('the record', 30_000, async () => {
      const call = await kit.find(pair.path).catch(() => undefined);
      return call?.status === 'completed' ? call : undefined;
    });
    await expectEnd(pair, 'agent', true);
    await expectTwoWayAudio(direct, kit.far.calls.get(direct.sipCallId)!, HEARD);
  }, 120_000);
});
