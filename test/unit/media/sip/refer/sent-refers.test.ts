import fc from 'fast-check';

import { SentRefers } from '../../../../../media/sip/refer/sent-refers';
import { FakeClock, settle } from '../../../../fakes/fake-clock';
import { requestOf, responseOf } from '../../../../fakes/media/sip/message-text';

import type { InDialogRequest, InDialogResult } from '../../../../../media/sip/dialog-requests';
import type { ReferOutcome, ReferRequest } from '../../../../../media/sip/refer/sent-refer';

const REQUEST: ReferRequest = { referTo: 'sip:+15551234567@192.0.2.7;user=phone', referredBy: null, headers: [] };

/** Our REFERs over a dialog whose other requests are played by hand. */
class Dialog {
  readonly clock = new FakeClock();
  readonly sent: { readonly request: InDialogRequest; readonly done: (result: InDialogResult) => void }[] = [];
  readonly progress: string[] = [];
  readonly outcomes: ReferOutcome[] = [];
  sequence = 10;
  readonly refers = new SentRefers({
    clock: this.clock,
    request: (request, done) => {
      this.sequence += 1;
      this.sent.push({ request, done });
    },
    localSequence: () => this.sequence,
    guard: (callback) => callback(),
  });

  refer(request: Partial<ReferRequest> = {}, name = ''): number {
    void this.refers
      .send({ ...REQUEST, ...request }, (status) => this.progress.push(`${name}${status}`))
      .then((outcome) => this.outcomes.push(outcome));
    return this.sequence;
  }

  async answer(status: number, headers: readonly string[] = [], index = this.sent.length - 1): Promise<void> {
    this.sent[index]!.done(responseOf(status, [`CSeq: ${this.sequence} REFER`, ...headers]));
    await settle();
  }

  async notify(line: string, state = 'active;expires=60', event = 'refer'): Promise<number> {
    const headers = [`Event: ${event}`, `Subscription-State: ${state}`, 'Content-Type: message/sipfrag;version=2.0'];
    const { status } = this.refers.receiveNotify(requestOf('NOTIFY', headers, line));
    await settle();
    return status;
  }
}

let dialog: Dialog;
beforeEach(() => {
  dialog = new Dialog();
});
afterEach(() => {
  expect(dialog.clock.armed).toBe(0);
});

describe('a REFER of ours', () => {
  it('says whom to call, for whom, and what the new call is to carry', () => {
    dialog.refer({
      referredBy: 'sip:agent@192.0.2.1',
      headers: [
        ['X-OPENCX-SESSION-ID', 's-1'],
        ['X-OPENCX-CONTACT-ID', 'é & co'],
      ],
    });
    expect(dialog.sent[0]!.request).toEqual({
      method: 'REFER',
      headers: [
        'Refer-To: <sip:+15551234567@192.0.2.7;user=phone?X-OPENCX-SESSION-ID=s-1&X-OPENCX-CONTACT-ID=%C3%A9%20%26%20co>',
        'Referred-By: <sip:agent@192.0.2.1>',
        'X-OPENCX-SESSION-ID: s-1',
        'X-OPENCX-CONTACT-ID: Ã© & co',
      ],
    });
    dialog.refers.dialogOver();
  });

  it('names the dialog that the new call takes the place of', () => {
    dialog.refer({ replaces: { sipCallId: 'a@b', toTag: '1', fromTag: '2', earlyOnly: false } });
    expect(dialog.sent[0]!.request.headers).toEqual([
      'Refer-To: <sip:+15551234567@192.0.2.7;user=phone?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>',
    ]);
    dialog.refers.dialogOver();
  });

  it('is not sent to what cannot be called', async () => {
    const bad = dialog.refers.send({ ...REQUEST, referTo: 'sip:a@h>\r\nEvil: 1' }, () => undefined);
    await expect(bad).rejects.toThrow(RangeError);
    expect(dialog.sent).toEqual([]);
  });

  it('is refused', async () => {
    dialog.refer();
    await dialog.answer(603);
    expect(dialog.outcomes).toEqual([{ kind: 'refused', status: 603, reason: 'Test' }]);
    expect(await dialog.notify('SIP/2.0 200 OK')).toBe(481);
  });

  it.each(['timeout', 'transport_error'] as const)('ends with %s', async (kind) => {
    dialog.refer();
    dialog.sent[0]!.done(kind);
    await settle();
    expect(dialog.outcomes).toEqual([{ kind }]);
  });

  it('is accepted: progress is told, and the final status is its outcome', async () => {
    dialog.refer();
    await dialog.answer(202);
    expect(await dialog.notify('SIP/2.0 100 Trying')).toBe(200);
    expect(await dialog.notify('SIP/2.0 180 Ringing\r\nVia: x\r\n')).toBe(200);
    expect(dialog.outcomes).toEqual([]);
    expect(await dialog.notify('SIP/2.0 200 OK', 'terminated;reason=noresource')).toBe(200);
    expect(dialog.progress).toEqual(['100', '180']);
    expect(dialog.outcomes).toEqual([{ kind: 'accepted', final: { status: 200, reason: 'OK' } }]);
    expect(await dialog.notify('SIP/2.0 200 OK')).toBe(481);
  });

  it('keeps answering a peer that goes on after the final status', async () => {
    dialog.refer();
    await dialog.answer(200);
    await dialog.notify('SIP/2.0 486 Busy Here');
    expect(await dialog.notify('SIP/2.0 180 Ringing')).toBe(200);
    expect(await dialog.notify('SIP/2.0 200 OK', 'terminated')).toBe(200);
    expect(dialog.progress).toEqual([]);
    expect(dialog.outcomes).toEqual([{ kind: 'accepted', final: { status: 486, reason: 'Busy Here' } }]);
  });

  it('takes a NOTIFY that overtakes the 202, the final one too', async () => {
    dialog.refer();
    await dialog.notify('SIP/2.0 100 Trying');
    await dialog.answer(202);
    expect([dialog.progress, dialog.outcomes]).toEqual([['100'], []]);
    await dialog.notify('SIP/2.0 503 No', 'terminated');
    dialog.refer();
    await dialog.notify('SIP/2.0 200 OK', 'terminated');
    await dialog.answer(202);
    expect(dialog.outcomes.map((outcome) => outcome.kind === 'accepted' && outcome.final?.status)).toEqual([503, 200]);
  });

  it('goes by its NOTIFY when the 202 is lost', async () => {
    dialog.refer();
    await dialog.notify('SIP/2.0 180 Ringing');
    dialog.sent[0]!.done('timeout');
    await settle();
    expect(dialog.outcomes).toEqual([]);
    await dialog.notify('SIP/2.0 200 OK');
    expect(dialog.outcomes).toHaveLength(1);
  });

  it.each([
    ['without a body', '', 'terminated;reason=rejected', 'rejected'],
    ['with what is no status', 'hello\r\nSIP/2.0 200 OK', 'terminated', ''],
    ['with a provisional status', 'SIP/2.0 100 Trying', 'terminated;reason=timeout', 'timeout'],
  ])('ends without a final status when the subscription does, %s', async (_title, line, state, reason) => {
    dialog.refer();
    await dialog.answer(202);
    expect(await dialog.notify(line, state)).toBe(200);
    expect(dialog.outcomes).toEqual([{ kind: 'terminated', reason }]);
  });

  it('outlives a NOTIFY that says nothing', async () => {
    dialog.refer();
    await dialog.answer(202);
    for (const line of ['', '\0\0', 'SIP/2.0 abc']) expect(await dialog.notify(line)).toBe(200);
    expect([dialog.progress, dialog.outcomes]).toEqual([[], []]);
    await dialog.notify('SIP/2.0 200 OK');
    expect(dialog.outcomes).toHaveLength(1);
  });

  it('expires 30 s after it was accepted, whatever rings', async () => {
    dialog.refer();
    await dialog.clock.advance(5_000);
    await dialog.answer(202);
    await dialog.clock.advance(20_000);
    await dialog.notify('SIP/2.0 180 Ringing');
    await dialog.clock.advance(9_999);
    expect(dialog.outcomes).toEqual([]);
    await dialog.clock.advance(1);
    expect(dialog.outcomes).toEqual([{ kind: 'expired' }]);
    expect(await dialog.notify('SIP/2.0 200 OK', 'terminated')).toBe(200);
    expect(dialog.outcomes).toHaveLength(1);
  });

  it('without a subscription is accepted, and no more is heard', async () => {
    dialog.refer();
    await dialog.answer(202, ['Refer-Sub: false']);
    expect(dialog.outcomes).toEqual([{ kind: 'accepted', final: null }]);
  });

  it('ends with the call: by the peer after it was accepted, or in any other way', async () => {
    dialog.refer();
    await dialog.answer(202);
    dialog.refers.peerHungUp();
    dialog.refer();
    dialog.refers.peerHungUp();
    dialog.refer();
    await dialog.answer(202);
    dialog.refers.dialogOver();
    await settle();
    expect(dialog.outcomes.map(({ kind }) => kind)).toEqual(['bye', 'dialog_over', 'dialog_over']);
    expect(await dialog.notify('SIP/2.0 200 OK')).toBe(481);
  });
});

describe('a NOTIFY', () => {
  it.each([
    [[], 489],
    [['Event: message-summary'], 489],
    [['o: refer'], 200],
    [['Event: REFER;id=11'], 200],
    [['Event: refer;id=10'], 481],
    [['Event: refer;id=12'], 481],
    [['Event: refer;id=x'], 481],
    [['Event: refer', 'Content-Type: application/sdp'], 200],
  ])('with %j is answered %d', (headers, status) => {
    dialog.refer();
    const answer = dialog.refers.receiveNotify(requestOf('NOTIFY', headers, 'SIP/2.0 200 OK'));
    expect(answer.status).toBe(status);
    if (status === 489) expect(answer.headers).toEqual(['Allow-Events: refer']);
    dialog.refers.dialogOver();
  });

  it('is not taken for a status when it says that it is something else', async () => {
    dialog.refer();
    dialog.refers.receiveNotify(requestOf('NOTIFY', ['Event: refer', 'Content-Type: text/plain'], 'SIP/2.0 200 OK'));
    await settle();
    expect(dialog.outcomes).toEqual([]);
    dialog.refers.dialogOver();
  });

  it('may name any CSeq that its REFER had: a challenge raises it', async () => {
    for (const id of [11, 12]) {
      dialog = new Dialog();
      dialog.refer();
      dialog.sequence += 1;
      await dialog.notify('SIP/2.0 180 Ringing', 'active', `refer;id=${id}`);
      await dialog.answer(202);
      await dialog.notify('SIP/2.0 200 OK', 'terminated', `refer;id=${id}`);
      expect([dialog.progress, dialog.outcomes.length]).toEqual([['180'], 1]);
    }
  });

  it('finds its own of several REFERs, and without id the first of the dialog', async () => {
    const first = dialog.refer({}, 'a');
    await dialog.answer(202);
    const second = dialog.refer({}, 'b');
    await dialog.answer(202);
    await dialog.notify('SIP/2.0 180 Ringing', 'active', `refer;id=${second}`);
    await dialog.notify('SIP/2.0 181 Forwarded', 'active', `refer;id=${first}`);
    await dialog.notify('SIP/2.0 182 Queued');
    expect(dialog.progress).toEqual(['b180', 'a181', 'a182']);
    await dialog.notify('', 'terminated', `refer;id=${first}`);
    await dialog.notify('SIP/2.0 200 OK', 'terminated');
    expect(dialog.outcomes.map(({ kind }) => kind)).toEqual(['terminated', 'accepted']);
  });
});

it('has one outcome, whatever comes in whatever order, and leaves no timer', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('answer' as const), status: fc.constantFrom(200, 202, 403, 603) }),
    fc.record({
      kind: fc.constant('fail' as const),
      how: fc.constantFrom('timeout' as const, 'transport_error' as const),
    }),
    fc.record({
      kind: fc.constant('notify' as const),
      line: fc.constantFrom('', 'x', 'SIP/2.0 100 Trying', 'SIP/2.0 180 R', 'SIP/2.0 200 OK', 'SIP/2.0 486 B'),
      state: fc.constantFrom('active', 'terminated;reason=x', ''),
      event: fc.constantFrom('refer', 'refer;id=11', 'refer;id=99', 'x'),
    }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 29_999, 30_000) }),
    fc.constantFrom({ kind: 'bye' as const }, { kind: 'over' as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      dialog = new Dialog();
      dialog.refer();
      let answered = false;
      for (const what of steps) {
        const { length } = dialog.outcomes;
        if (what.kind === 'notify') await dialog.notify(what.line, what.state, what.event);
        else if (what.kind === 'wait') await dialog.clock.advance(what.ms);
        else if (what.kind === 'bye') dialog.refers.peerHungUp();
        else if (what.kind === 'over') dialog.refers.dialogOver();
        else if (!answered) {
          answered = true;
          if (what.kind === 'fail') dialog.sent[0]!.done(what.how);
          else await dialog.answer(what.status);
        }
        await settle();
        if (length === 1) expect(dialog.outcomes).toHaveLength(1);
      }
      dialog.refers.dialogOver();
      await settle();
      expect([dialog.outcomes.length, dialog.clock.armed]).toEqual([1, 0]);
      for (const status of dialog.progress) expect(Number(status)).toBeLessThan(200);
    }),
  );
});
