import fc from 'fast-check';

import { DialogRefers } from '../../../../../media/sip/refer/dialog-refers';
import { FakeClock, settle } from '../../../../fakes/fake-clock';
import { requestOf, responseOf } from '../../../../fakes/media/sip/message-text';

import type { InDialogRequest, InDialogResult } from '../../../../../media/sip/dialog-requests';
import type { IncomingRefer } from '../../../../../media/sip/refer/received-refer';
import type { CoreAnswer } from '../../../../../media/sip/core-events';

const TO = 'Refer-To: <sip:bob@192.0.2.9>';

/** A dialog in which the peer refers us. */
class Dialog {
  readonly clock = new FakeClock();
  readonly notified: string[] = [];
  readonly open: ((result: InDialogResult) => void)[] = [];
  readonly answers: CoreAnswer[] = [];
  readonly refers: IncomingRefer[] = [];
  established = true;
  taken = true;
  /** Answers each NOTIFY at once. */
  always: number | null = 200;
  readonly #refers = new DialogRefers({
    clock: this.clock,
    request: (request, done) => this.#request(request, done),
    localSequence: () => 1,
    guard: (callback) => callback(),
    established: () => this.established,
    onRefer: (refer) => {
      if (this.taken) this.refers.push(refer);
      return this.taken;
    },
  });

  receive(headers: readonly string[] = [TO], method = 'REFER'): void {
    this.#refers.receive(requestOf(method, headers), (answer) => this.answers.push(answer));
  }

  get last(): IncomingRefer {
    return this.refers.at(-1)!;
  }

  end(): void {
    this.established = false;
    this.#refers.dialogOver();
  }

  peerHungUp(): void {
    this.established = false;
    this.#refers.peerHungUp();
  }

  dispose(): void {
    this.#refers.dispose();
  }

  #request({ method, headers, body }: InDialogRequest, done: (result: InDialogResult) => void): void {
    expect([method, body?.contentType]).toEqual(['NOTIFY', 'message/sipfrag;version=2.0']);
    expect(headers[0]).toBe('Event: refer;id=7');
    this.notified.push(`${body?.content.trimEnd()} | ${headers[1]?.replace('Subscription-State: ', '')}`);
    if (this.always === null) this.open.push(done);
    else done(responseOf(this.always));
  }
}

let dialog: Dialog;
beforeEach(() => {
  dialog = new Dialog();
});
afterEach(() => {
  expect(dialog.clock.armed).toBe(0);
});

const statuses = (): number[] => dialog.answers.map(({ status }) => status);

describe('a REFER of the peer', () => {
  it('is accepted with 202 and a NOTIFY at once, and told to its end', async () => {
    dialog.receive([TO, 'Referred-By: "Al" <sip:alice@example.com>;cid="x@y"']);
    expect(dialog.last).toMatchObject({
      referTo: { uri: 'sip:bob@192.0.2.9', method: 'INVITE', replaces: null, headers: [] },
      referredBy: 'sip:alice@example.com',
    });
    expect(statuses()).toEqual([]);
    dialog.last.accept();
    expect(dialog.answers).toEqual([{ status: 202, headers: [] }]);
    await dialog.clock.advance(2_500);
    await dialog.last.notify(180);
    await dialog.last.notify(200, 'Fine');
    expect(dialog.notified).toEqual([
      'SIP/2.0 100 Trying | active;expires=180',
      'SIP/2.0 180 Ringing | active;expires=178',
      'SIP/2.0 200 Fine | terminated;reason=noresource',
    ]);
    await dialog.last.notify(486);
    dialog.end();
    expect(dialog.notified).toHaveLength(3);
  });

  it('is refused, and nothing is notified', async () => {
    dialog.receive();
    expect(() => dialog.last.refuse(302)).toThrow(RangeError);
    dialog.last.refuse(480);
    dialog.last.accept();
    await dialog.last.notify(200);
    expect([statuses(), dialog.notified]).toEqual([[480], []]);
  });

  it.each([
    ['no Refer-To', [], 400],
    ['two of them', [TO, TO], 400],
    ['two in one line', [`${TO}, <sip:carol@h>`], 400],
    ['an unreadable one', ['Refer-To: <sip:@h>'], 400],
    ['unreadable headers in it', ['r: <sip:a@h?Replaces=x>'], 400],
    ['a method that is not ours to send', ['Refer-To: <sip:a@h;method=BYE>'], 603],
    ['a target that is no phone', ['Refer-To: <mailto:a@example.com>'], 603],
  ])('with %s is not handed on', (_title, headers, status) => {
    dialog.receive(headers);
    expect([statuses(), dialog.refers]).toEqual([[status], []]);
  });

  it('is declined when nobody takes it, and while the call does not stand', () => {
    dialog.taken = false;
    dialog.receive();
    dialog.taken = true;
    dialog.established = false;
    dialog.receive();
    expect([statuses(), dialog.refers]).toEqual([[603, 603], []]);
  });

  it.each(['Refer-Sub: false', 'Refer-Sub: FALSE;x=1'])('with %s makes no subscription', async (line) => {
    dialog.receive([TO, line]);
    dialog.last.accept();
    await dialog.last.notify(200);
    expect([dialog.answers, dialog.notified]).toEqual([[{ status: 202, headers: ['Refer-Sub: false'] }], []]);
  });

  it.each(['Refer-Sub: true', 'Refer-Sub: falsely'])('with %s makes one', async (line) => {
    dialog.receive([TO, line]);
    dialog.last.accept();
    await dialog.last.notify(603);
    expect(dialog.notified).toHaveLength(2);
  });

  it('that says in two ways who refers says nothing', () => {
    dialog.receive([TO, 'Referred-By: <sip:a@h>', 'b: <sip:b@h>']);
    expect(dialog.last.referredBy).toBeNull();
    dialog.end();
  });

  it('is answered before the peer gives up, even when nobody does', async () => {
    dialog.receive();
    await dialog.clock.advance(19_999);
    expect(statuses()).toEqual([]);
    await dialog.clock.advance(1);
    expect(statuses()).toEqual([603]);
  });

  it('is one of few at a time', () => {
    for (let i = 0; i < 6; i++) dialog.receive();
    expect(statuses()).toEqual([491, 491]);
    dialog.refers[0]!.refuse(603);
    dialog.receive();
    expect(dialog.refers).toHaveLength(5);
    dialog.end();
    expect(statuses()).toEqual([491, 491, 603, 487, 487, 487, 487]);
  });
});

describe('the subscription that it makes', () => {
  beforeEach(() => {
    dialog.receive();
  });

  it.each(['end', 'peerHungUp'] as const)('is told to be over when the dialog is: %s', (how) => {
    dialog.last.accept();
    void dialog.last.notify(183);
    dialog[how]();
    expect(dialog.notified.at(-1)).toBe('SIP/2.0 183 Session Progress | terminated;reason=noresource');
  });

  it('is told to be over when it expires', async () => {
    dialog.last.accept();
    await dialog.clock.advance(180_000);
    expect(dialog.notified.at(-1)).toBe('SIP/2.0 100 Trying | terminated;reason=timeout');
    await dialog.last.notify(200);
    expect(dialog.notified).toHaveLength(2);
  });

  it('sends one NOTIFY after the other, of those that wait the newest', async () => {
    dialog.always = null;
    dialog.last.accept();
    let heard = 0;
    for (const status of [180, 183, 200, 486]) void dialog.last.notify(status).then(() => (heard += 1));
    await settle();
    // What came after the end is taken as said.
    expect([dialog.notified.length, heard]).toEqual([1, 1]);
    dialog.open.shift()!(responseOf(200));
    await settle();
    expect(dialog.notified).toEqual([
      'SIP/2.0 100 Trying | active;expires=180',
      'SIP/2.0 200 OK | terminated;reason=noresource',
    ]);
    expect(heard).toBe(1);
    dialog.open.shift()!(responseOf(200));
    await settle();
    expect(heard).toBe(4);
  });

  it('says its end in spite of a NOTIFY under way when the dialog ends', async () => {
    dialog.always = null;
    dialog.last.accept();
    const heard = dialog.last.notify(200);
    dialog.end();
    expect(dialog.notified.at(-1)).toBe('SIP/2.0 200 OK | terminated;reason=noresource');
    await heard;
    for (const done of dialog.open) done('timeout');
    expect(dialog.notified).toHaveLength(2);
  });

  it.each([481, 408])('is over when the peer answers %d', async (status) => {
    dialog.always = status;
    dialog.last.accept();
    await dialog.last.notify(180);
    dialog.end();
    expect(dialog.notified).toHaveLength(1);
  });

  it('outlives a peer that refuses a NOTIFY', async () => {
    dialog.always = 405;
    dialog.last.accept();
    await dialog.last.notify(200);
    expect(dialog.notified).toHaveLength(2);
  });

  it('leaves without a word when the dialog is dropped', async () => {
    dialog.always = null;
    dialog.last.accept();
    const heard = dialog.last.notify(180);
    dialog.dispose();
    await heard;
    expect(dialog.notified).toHaveLength(1);
  });
});

it('a NOTIFY of nothing that we asked for gets 481', () => {
  dialog.receive(['Event: refer'], 'NOTIFY');
  expect(statuses()).toEqual([481]);
});

it('each is answered once and its subscription ended once, whatever is done to it', async () => {
  const step = fc.oneof(
    fc.constantFrom('accept' as const, 'refuse' as const, 'wait' as const, 'answer' as const, 'lose' as const),
    fc.constantFrom(100, 180, 200, 486),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, hangsUp) => {
      dialog = new Dialog();
      dialog.always = null;
      dialog.receive();
      for (const what of steps) {
        if (typeof what === 'number') void dialog.last.notify(what);
        else if (what === 'accept') dialog.last.accept();
        else if (what === 'refuse') dialog.last.refuse(603);
        else if (what === 'wait') await dialog.clock.advance(25_000);
        else dialog.open.shift()?.(what === 'answer' ? responseOf(200) : 'timeout');
        await settle();
      }
      const lost = steps.includes('lose');
      if (hangsUp) dialog.peerHungUp();
      else dialog.end();
      expect(dialog.answers).toHaveLength(1);
      const ends = dialog.notified.filter((text) => text.includes('terminated')).length;
      // A peer that does not answer has left the subscription.
      expect(ends).toBeLessThanOrEqual(1);
      if (statuses()[0] === 202 && !lost)
        expect([ends, dialog.notified.at(-1)]).toEqual([1, expect.stringContaining('terminated')]);
      expect(dialog.clock.armed).toBe(0);
    }),
  );
});
