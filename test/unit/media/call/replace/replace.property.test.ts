/** INVITEs with Replaces, REFERs, hang-ups and silence in any order: whatever comes, nobody is left on the line. */
import fc from 'fast-check';

import type { InboundTrunkProfile } from '../../../../../contract/directory';
import { BOOT_ID, CallLayer } from '../../../../fakes/call-layer';
import { settle } from '../../../../fakes/fake-clock';
import { FakeRefer } from '../../../../fakes/fake-refer';
import { FakeInboundDialog, FakeOutboundDialog, PHONE_SDP, VIDEO_ONLY_SDP } from '../../../../fakes/fake-sip';

const CALL = 'call-sip-1';
const TRUNK: InboundTrunkProfile = {
  id: 'trunk-1',
  orgId: 'org-1',
  username: 'user',
  password: 'secret',
  phoneNumbers: [],
  mediaTimeoutSeconds: 30,
};

const STEPS = [
  'replace',
  'replace without offer',
  'replace without audio',
  'replace from another trunk',
  'ack',
  'ack without answer',
  'refer',
  'refer abroad',
  'follow',
  'do not follow',
  'ring',
  'answer',
  'answer without audio',
  'refuse',
  'peer hangs up',
  'any phone hangs up',
  'a second passes',
  'a minute passes',
] as const;
type Step = (typeof STEPS)[number];

class Subject {
  readonly layer = new CallLayer();
  readonly phones: FakeInboundDialog[] = [];
  readonly refers: FakeRefer[] = [];

  async begin(): Promise<void> {
    this.layer.directory.trunk = TRUNK;
    this.phones.push(await this.layer.answered());
  }

  get dialogs(): (FakeInboundDialog | FakeOutboundDialog)[] {
    return [...this.phones, ...this.layer.endpoint.dialogs];
  }

  /** Those that a REFER or an INVITE with Replaces can be about. */
  get #current(): FakeInboundDialog | FakeOutboundDialog | undefined {
    return this.dialogs.findLast(
      (dialog) => !dialog.over && 'onReplace' in dialog.delegate && !this.#isPending(dialog),
    );
  }

  async take(step: Step): Promise<void> {
    const ringing = this.layer.endpoint.dialogs.find((dialog) => this.#isPending(dialog));
    const called = this.phones.at(-1)!;
    switch (step) {
      case 'replace':
        this.#replace(PHONE_SDP);
        break;
      case 'replace without offer':
        this.#replace(null);
        break;
      case 'replace without audio':
        this.#replace(VIDEO_ONLY_SDP);
        break;
      case 'replace from another trunk':
        this.#replace(PHONE_SDP, 'trunk-2');
        break;
      case 'ack':
        if (!called.over) called.ack(called.invite.offer === null ? PHONE_SDP : null);
        break;
      case 'ack without answer':
        if (!called.over) called.ack();
        break;
      case 'refer':
        this.#refer(new FakeRefer());
        break;
      case 'refer abroad':
        this.#refer(new FakeRefer('sip:200@192.0.2.99'));
        break;
      case 'follow':
      case 'do not follow':
        await this.#follow(step === 'follow');
        break;
      case 'ring':
        ringing?.progress(180);
        break;
      case 'answer':
        ringing?.accept();
        break;
      case 'answer without audio':
        ringing?.accept(VIDEO_ONLY_SDP);
        break;
      case 'refuse':
        ringing?.refuse(486);
        break;
      case 'peer hangs up':
        this.#current?.peerBye();
        break;
      case 'any phone hangs up':
        this.phones.find(({ over }) => !over)?.peerBye();
        break;
      case 'a second passes':
        await this.layer.clock.advance(1_000);
        break;
      case 'a minute passes':
        await this.layer.clock.advance(61_000);
    }
    await settle();
  }

  async end(): Promise<void> {
    await this.layer.hangup(CALL);
    await settle();
    for (const dialog of this.dialogs) {
      if (this.#isPending(dialog)) (dialog as FakeOutboundDialog).refuse(487);
      dialog.answerBye();
    }
    await this.layer.clock.advance(20_000);
    await settle();
  }

  /** An INVITE of ours without a final answer. */
  #isPending(dialog: FakeInboundDialog | FakeOutboundDialog): boolean {
    return dialog instanceof FakeOutboundDialog && !dialog.over && !this.#answered.has(dialog);
  }
  readonly #answered = new WeakSet<FakeOutboundDialog>();

  noteAnswers(): void {
    for (const dialog of this.layer.endpoint.dialogs) {
      const accept = dialog.accept.bind(dialog);
      dialog.accept = (...args) => {
        this.#answered.add(dialog);
        accept(...args);
      };
    }
  }

  #replace(offer: string | null, trunkId = 'trunk-1'): void {
    const dialog = new FakeInboundDialog({
      sipCallId: `sip-${this.phones.length + 1}`,
      offer,
      identity: { trunkId, orgId: 'org-1', username: 'user' },
    });
    const current = this.#current;
    if (current === undefined) return;
    this.phones.push(dialog);
    current.delegate.onReplace?.(dialog);
  }

  #refer(refer: FakeRefer): void {
    const current = this.#current;
    if (current === undefined) return;
    this.refers.push(refer);
    current.delegate.onRefer?.(refer);
  }

  async #follow(follow: boolean): Promise<void> {
    const asked = this.layer.events.ofCall(CALL).findLast(({ type }) => type === 'peer_referred');
    if (asked?.type !== 'peer_referred') return;
    const { referId } = asked;
    const control = { type: 'followRefer', referId, follow } as const;
    await this.layer.control.control({ callId: CALL, commandId: `${referId}:follow`, bootId: BOOT_ID, control });
  }
}

it('leaves no dialog, no port and no place behind, and exactly one end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { maxLength: 14 }), async (steps) => {
      const subject = new Subject();
      await subject.begin();
      for (const step of steps) {
        subject.noteAnswers();
        await subject.take(step);
      }
      subject.noteAnswers();
      await subject.end();
      const { layer } = subject;
      const events = layer.events.ofCall(CALL);
      expect(events.filter(({ type }) => type === 'ended')).toHaveLength(1);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
      expect(subject.dialogs.filter(({ over }) => !over)).toEqual([]);
      expect(layer.registry.size).toBe(0);
      expect(layer.rtp.sessionCount).toBe(0);
      for (const trunk of ['trunk-1', 'trunk-2'])
        expect(layer.registry.admission(trunk, { maxConcurrentCalls: 1 })).toBeNull();
      // Each REFER has one final answer; one that was accepted, one final NOTIFY.
      for (const { told } of subject.refers) {
        const [first = 0, ...notified] = told;
        expect(first).toBeGreaterThanOrEqual(202);
        expect(notified.filter((status) => status >= 200)).toHaveLength(first === 202 ? 1 : 0);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
