/** A caller is handed over to somebody else: who hears whom, what the phones see of it, and what is left of it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { CALLER_NUMBER, newNumber } from '../../support/outbound';
import type { Answering } from '../../support/phone/options';
import { Phone } from '../../support/phone/phone';
import { headerOf, uriOf } from '../../support/phone/sip-text';
import type { Stack } from '../../support/stack';
import { rms } from '../../support/tones';
import { waitFor } from '../../support/wait-for';
import { DIALED } from '../../support/transfer/matrix-stack';
import { expectTwoWayAudio, hears, TransferStack } from '../../support/transfer/transfer-stack';

describe('a transfer', () => {
  let kit: TransferStack;
  let stack: Stack;
  let caller: Phone;
  let far: Phone;

  beforeAll(async () => {
    kit = await TransferStack.start({ agent: { name: 'Support Agent' } });
    ({ stack, caller, far } = kit);
  }, 90_000);

  afterAll(async () => {
    await kit?.close();
  }, 60_000);

  beforeEach(() => {
    kit.answering = { status: 200, ringMs: 300 };
  });

  const transfer = (path: string, body: object = {}): Promise<string> =>
    kit.transfer(path, { type: 'phone', value: newNumber(), mode: 'bridge', ...body });

  const eventTypes = async (path: string): Promise<string[]> =>
    (await kit.events(path)).filter(({ source }) => source === 'workflow').map(({ type }) => type);

  it('joins caller and destination, both ways and whatever their codecs; the caller hangs up on both', async () => {
    const { phone, path } = await kit.answered();
    const number = newNumber();
    kit.answering = { status: 200, ringMs: 1_500 };
    const transferId = await transfer(path, { value: number });
    expect(await kit.find(path)).toMatchObject({ status: 'transferring', transfer: { id: transferId, outcome: null } });
    // Ringback meanwhile, and no second one.
    await sleep(300);
    expect(rms(await hears(phone, 700))).toBeGreaterThan(100);
    const again = await stack.api<{ code: string }>('POST', `${path}/transfer`, { type: 'phone', value: number });
    expect([again.status, again.body.code]).toEqual([409, 'transferring']);
    const said = await stack.api<{ code: string }>('POST', `${path}/say`, { text: 'Hello?' });
    expect([said.status, said.body.code]).toEqual([409, 'transferring']);
    const there = await far.nextCall();
    expect(await kit.outcomeOf(path)).toMatchObject({
      id: transferId,
      mode: 'bridge',
      outcome: 'transferred',
      sip_status: 200,
      failed_step: null,
    });
    expect((await kit.find(path)).status).toBe('in_progress');
    const invite = far.invites.find(({ user }) => user === number);
    const call = await kit.find(path);
    expect(invite?.fromUser).toBe(CALLER_NUMBER);
    expect(headerOf(invite!.message, 'x-opencx-session-id')).toBe(call.session_id);
    expect(headerOf(invite!.message, 'x-opencx-agent-id')).toBe(kit.agentId);
    expect(headerOf(invite!.message, 'x-opencx-contact-id')).toBe('');
    await expectTwoWayAudio(phone, there);
    const third = await stack.api<{ code: string }>('POST', `${path}/transfer`, { type: 'phone', value: number });
    expect([third.status, third.body.code]).toEqual([409, 'transferred']);
    await phone.hangup();
    expect((await there.ended).by).toBe('them');
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred', ended_by: 'caller' });
    expect(await eventTypes(path)).toEqual(['call.started', 'transfer.requested', 'transfer.completed', 'call.ended']);
    await kit.untilNoLegIsLeft();
  }, 60_000);

  it('ends with the destination too', async () => {
    const { phone, path } = await kit.answered();
    await transfer(path);
    const there = await far.nextCall();
    await kit.outcomeOf(path);
    await there.hangup();
    expect((await phone.ended).by).toBe('them');
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred', ended_by: 'callee' });
    await kit.untilNoLegIsLeft();
  }, 60_000);

  it.each([
    ['is busy', { status: 486 } as Answering, { outcome: 'busy', sip_status: 486 }],
    ['declines', { status: 603 } as Answering, { outcome: 'rejected', sip_status: 603 }],
    ['does not answer', { ring: 'forever' } as Answering, { outcome: 'no_answer' }],
  ])(
    'brings the caller back to the agent, which says why, when the destination %s',
    async (_, answer, expected) => {
      const { phone, path } = await kit.answered();
      kit.answering = answer;
      await transfer(path, { ring_timeout_seconds: 5 });
      expect(await kit.outcomeOf(path)).toMatchObject({ ...expected, mode: 'bridge', failed_step: 'dial' });
      expect((await kit.find(path)).status).toBe('in_progress');
      // The sentence, and then silence: no ringback is left.
      expect(rms(await hears(phone, 2_500))).toBeGreaterThan(100);
      await waitFor('the agent to have finished', 10_000, async () =>
        rms(await hears(phone, 500)) < 50 ? true : undefined,
      );
      const transcript = await waitFor('the sentence in the transcript', 10_000, async () => {
        return (await kit.turns(path)).find(({ text }) => text.includes('You are back with me'));
      });
      expect(transcript.text).toMatch(/^I am sorry, the person I called /);
      // It goes on.
      expect((await stack.api('POST', `${path}/say`, { text: 'Can I help you otherwise?' })).status).toBe(200);
      expect(phone.over).toBe(false);
      expect(await eventTypes(path)).toEqual(['call.started', 'transfer.requested', 'transfer.failed']);
      await phone.hangup();
      expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
      await kit.untilNoLegIsLeft();
    },
    60_000,
  );

  it('cancels the destination at once when the caller hangs up', async () => {
    const { phone, path } = await kit.answered();
    kit.answering = { ring: 'forever' };
    const number = newNumber();
    await transfer(path, { value: number });
    const invite = await waitFor('the leg to ring', 5_000, () =>
      Promise.resolve(far.invites.find(({ user }) => user === number)),
    );
    await sleep(300);
    const hungUpAt = performance.now();
    void phone.hangup();
    await waitFor('the CANCEL', 2_000, () =>
      Promise.resolve(far.cancelled.includes(invite.sipCallId) ? true : undefined),
    );
    expect(performance.now() - hungUpAt).toBeLessThan(500);
    expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup', transfer: { outcome: 'call_ended' } });
    await kit.untilNoLegIsLeft();
  }, 60_000);

  it('goes to a SIP URI directly, after a sentence that is heard to its end', async () => {
    const { phone, path } = await kit.answered();
    const pbx = await kit.openFar();
    const created = await stack.api<{ id: string }>('POST', '/phone/sip/transfer-destinations', {
      name: 'Sales',
      type: 'sip',
      value: `sip:sales@127.0.0.1:${pbx.port}`,
    });
    const body = { destination_id: created.body.id, announce: 'I am putting you through to our sales team now.' };
    const unassigned = await stack.api<{ code: string }>('POST', `${path}/transfer`, body);
    expect([unassigned.status, unassigned.body.code]).toEqual([422, 'destination_not_assigned']);
    await stack.api('POST', `/phone/sip/agents/${kit.agentId}/transfer-destinations`, {
      destination_id: created.body.id,
    });
    const begunAt = performance.now();
    expect((await stack.api('POST', `${path}/transfer`, body)).status).toBe(200);
    const there = await pbx.nextCall();
    expect(performance.now() - begunAt).toBeGreaterThan(2_000);
    expect(pbx.invites[0]).toMatchObject({ user: 'sales', fromUser: CALLER_NUMBER });
    await expectTwoWayAudio(phone, there);
    await there.hangup();
    await phone.ended;
    pbx.close();
  }, 60_000);

  it.each(['worker', 'api', 'temporal'] as const)(
    'rings once when the %s dies meanwhile, and is carried on',
    async (name) => {
      const { phone, path } = await kit.answered();
      const number = newNumber();
      kit.answering = { status: 200, ringMs: 4_000 };
      await transfer(path, { value: number });
      await waitFor('the leg to ring', 5_000, () =>
        Promise.resolve(far.invites.some(({ user }) => user === number) ? true : undefined),
      );
      const pid = stack.kill(name);
      // The two are joined whether it is back or not.
      const there = await far.nextCall();
      await expectTwoWayAudio(phone, there);
      await stack.waitForNewPid(name, pid, 30_000);
      await stack.waitReady(30_000);
      expect(await kit.outcomeOf(path, 30_000)).toMatchObject({ outcome: 'transferred' });
      expect(far.invites.filter(({ user }) => user === number)).toHaveLength(1);
      await there.hangup();
      expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred' });
      await kit.untilNoLegIsLeft();
    },
    90_000,
  );

  it('is refused to a number that may not be called', async () => {
    const { phone, path } = await kit.answered();
    const refused = async (body: object): Promise<unknown> => {
      const { status, body: answer } = await stack.api<{ code: string }>('POST', `${path}/transfer`, body);
      return [status, answer.code];
    };
    expect(await refused({ type: 'phone', value: '+1 900 555 0100' })).toEqual([422, 'destination_not_allowed']);
    expect(await refused({ type: 'phone', value: '+1 911' })).toEqual([422, 'emergency_number']);
    expect((await kit.find(path)).status).toBe('in_progress');
    await phone.hangup();
    await kit.ended(path);
    expect(await refused({ type: 'phone', value: newNumber() })).toEqual([409, 'ended']);
  }, 60_000);

  describe('by a REFER', () => {
    let pbx: Phone;

    beforeAll(async () => {
      pbx = await Phone.open({ ...caller.options, takesRefer: true });
    });
    afterAll(() => pbx?.close());

    it('leaves it to the phone system of the caller, and says BYE when that has got there', async () => {
      const { phone, path } = await kit.answered(() => pbx.call(DIALED));
      phone.answerRefer = () => 202;
      const number = newNumber();
      const transferId = await transfer(path, { value: number, mode: 'auto' });
      const refer = await waitFor('the REFER', 5_000, () => Promise.resolve(phone.refers[0]));
      const call = await kit.find(path);
      expect(uriOf(headerOf(refer, 'refer-to'))).toMatch(
        new RegExp(`^sip:\\${number}@127\\.0\\.0\\.1:${pbx.port};user=phone\\?X-OPENCX-SESSION-ID=${call.session_id}&`),
      );
      expect(headerOf(refer, 'referred-by')).toMatch(/^<sip:/);
      expect(headerOf(refer, 'x-opencx-agent-id')).toBe(kit.agentId);
      // Accepted is not done.
      expect(await phone.notifyReferred(180, 'Ringing', 'active;expires=60')).toBe(200);
      await sleep(500);
      expect(await kit.find(path)).toMatchObject({ status: 'transferring', transfer: { outcome: null } });
      expect(await phone.notifyReferred(200, 'OK', 'terminated;reason=noresource')).toBe(200);
      const toldAt = performance.now();
      expect((await phone.ended).by).toBe('them');
      expect(performance.now() - toldAt).toBeGreaterThan(1_800);
      expect(await kit.ended(path)).toMatchObject({
        end_reason: 'transferred',
        ended_by: 'agent',
        transfer: { id: transferId, mode: 'refer', outcome: 'transferred', sip_status: 200 },
      });
      expect(far.invites.some(({ user }) => user === number)).toBe(false);
    }, 60_000);

    it('is taken for done when the phone system hangs up after it has accepted', async () => {
      const { phone, path } = await kit.answered(() => pbx.call(DIALED));
      phone.answerRefer = () => 202;
      await transfer(path, { mode: 'refer' });
      await waitFor('the REFER', 5_000, () => Promise.resolve(phone.refers[0]));
      await sleep(200);
      await phone.hangup();
      expect(await kit.ended(path)).toMatchObject({
        end_reason: 'transferred',
        ended_by: 'caller',
        transfer: { mode: 'refer', outcome: 'transferred_assumed', failed_step: null },
      });
    }, 60_000);

    it('that is busy brings the caller back, and nobody is called again', async () => {
      const { phone, path } = await kit.answered(() => pbx.call(DIALED));
      phone.answerRefer = () => 202;
      const number = newNumber();
      await transfer(path, { value: number, mode: 'auto' });
      await waitFor('the REFER', 5_000, () => Promise.resolve(phone.refers[0]));
      await phone.notifyReferred(486, 'Busy Here', 'terminated;reason=noresource');
      expect(await kit.outcomeOf(path)).toMatchObject({
        mode: 'refer',
        outcome: 'busy',
        sip_status: 486,
        failed_step: 'refer',
      });
      expect(rms(await hears(phone, 2_500))).toBeGreaterThan(100);
      expect(far.invites.some(({ user }) => user === number)).toBe(false);
      await phone.hangup();
      expect(await kit.ended(path)).toMatchObject({ end_reason: 'caller_hangup' });
    }, 60_000);

    it.each([
      ['is refused', 403, null],
      ['reaches nobody', 202, 503],
    ] as const)(
      'that %s is followed by a bridge',
      async (_, status, notified) => {
        const { phone, path } = await kit.answered(() => pbx.call(DIALED));
        phone.answerRefer = () => status;
        await transfer(path, { mode: 'auto' });
        await waitFor('the REFER', 5_000, () => Promise.resolve(phone.refers[0]));
        if (notified !== null) await phone.notifyReferred(notified, 'No', 'terminated;reason=noresource');
        const there = await far.nextCall();
        await expectTwoWayAudio(phone, there);
        expect(await kit.outcomeOf(path)).toMatchObject({ mode: 'bridge', outcome: 'transferred' });
        await there.hangup();
        expect(await kit.ended(path)).toMatchObject({ end_reason: 'transferred', ended_by: 'callee' });
      },
      60_000,
    );

    it('that is refused fails where nothing else is asked for', async () => {
      const { phone, path } = await kit.answered();
      await transfer(path, { mode: 'refer' });
      expect(await kit.outcomeOf(path)).toMatchObject({
        mode: 'refer',
        outcome: 'failed',
        sip_status: 405,
        failed_step: 'refer',
      });
      expect(rms(await hears(phone, 2_500))).toBeGreaterThan(100);
      await phone.hangup();
    }, 60_000);
  });
});
