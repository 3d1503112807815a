/** Both sides hold and resume a call in any order, with answers that come late, refusals, glare and refreshes between. */
import fc from 'fast-check';
import type { ReofferOutcome } from '../../../../media/sip/dialog';
import { BOOT_ID, CallLayer } from '../../../fakes/call-layer';
import { settle } from '../../../fakes/fake-clock';
import { FakeInboundDialog, PHONE_SDP } from '../../../fakes/fake-sip';

const CALL = 'call-sip-1';

const STEPS = [
  'hold',
  'unhold',
  'peer holds',
  'peer resumes',
  'peer refreshes',
  'peer asks for an offer',
  'peer agrees',
  'peer refuses',
  'glare',
] as const;
type Step = (typeof STEPS)[number];

const sdpOf = (direction: string): string => PHONE_SDP.replace('sendrecv', direction);
const directionOf = (sdp: string): string => /^a=(send\w+|recvonly|inactive)/m.exec(sdp)?.[1] ?? 'none';
const versionOf = (sdp: string): number => Number(/^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1]);

/** RFC 3264 §6.1, written down once more: what a side answers that holds, or does not. */
function mirrored(offered: string, holding: boolean): string {
  const mayReceive = offered === 'sendrecv' || offered === 'sendonly';
  const maySend = offered === 'sendrecv' || offered === 'recvonly';
  if (mayReceive && !holding) return maySend ? 'sendrecv' : 'recvonly';
  return maySend ? 'sendonly' : 'inactive';
}

interface OpenOffer {
  readonly ask: () => string;
  offer: string;
  readonly done: (outcome: ReofferOutcome) => void;
}

/** A peer that answers our offers when the test says so. */
class SlowDialog extends FakeInboundDialog {
  onOffer: (sdp: string) => void = () => undefined;
  open: OpenOffer | null = null;

  override reoffer(sdp: string | (() => string)): Promise<ReofferOutcome> {
    const ask = (): string => {
      const offer = typeof sdp === 'string' ? sdp : sdp();
      this.onOffer(offer);
      return offer;
    };
    expect(this.open).toBeNull();
    return new Promise((done) => (this.open = { ask, offer: ask(), done }));
  }
}

/** One call, and what must be of it by the rules written down here once more. */
class Subject {
  readonly layer = new CallLayer();
  readonly dialog = new SlowDialog();
  ours = false;
  theirs = false;
  /** What was asked for and is not answered. */
  readonly asked: boolean[] = [];
  readonly outcomes: string[] = [];
  readonly #versions = new Map<number, string>();
  #lastVersion = 0;
  #commands = 0;
  /** The peer had its turn since ours was offered: that was a glare, and ours is offered anew. */
  #stale = false;

  async begin(): Promise<void> {
    this.dialog.onOffer = (sdp) => this.#sent(sdp);
    await this.layer.answered(this.dialog);
    this.#sent(this.dialog.answers[0] ?? '');
  }

  async take(step: Step): Promise<void> {
    switch (step) {
      case 'hold':
      case 'unhold':
        await this.#ask(step);
        break;
      case 'peer holds':
      case 'peer resumes':
        this.theirs = step === 'peer holds';
        this.#offered();
        break;
      case 'peer refreshes':
        this.#offered();
        break;
      case 'peer asks for an offer':
        this.#asksForOffer();
        break;
      case 'peer agrees':
        this.#answered(true);
        break;
      case 'peer refuses':
        this.#answered(false);
        break;
      case 'glare':
        this.#offerAgain();
    }
    await settle();
    // What changes nothing is done as soon as it is its turn.
    this.#settleIdle();
  }

  async #ask(type: 'hold' | 'unhold'): Promise<void> {
    const commandId = `command-${++this.#commands}`;
    const taken = await this.layer.control.control({ callId: CALL, commandId, bootId: BOOT_ID, control: { type } });
    if (taken.ok) this.asked.push(type === 'hold');
    else expect(taken).toEqual({ ok: false, code: 'too_many' });
  }

  #settleIdle(): void {
    while (this.asked.length > 0 && this.asked[0] === this.ours) {
      this.asked.shift();
      this.outcomes.push('done');
    }
  }

  #answered(agreed: boolean): void {
    if (this.#stale) this.#offerAgain();
    const first = this.dialog.open;
    if (!first) return;
    this.dialog.open = null;
    const held = this.asked.shift() === true;
    expect(directionOf(first.offer)).toBe(held ? 'sendonly' : 'sendrecv');
    this.outcomes.push(agreed ? 'done' : 'failed');
    if (agreed) this.ours = held;
    const answer = mirrored(directionOf(first.offer), this.theirs);
    first.done(agreed ? { ok: true, sdp: sdpOf(answer) } : { ok: false, status: 488 });
  }

  #offerAgain(): void {
    const { open } = this.dialog;
    if (open) open.offer = open.ask();
    this.#stale = false;
  }

  #offered(): void {
    // While ours is open the dialog refuses the peer's (RFC 3261 §14.2), but during a back-off it comes through.
    this.#stale = true;
    const answer = this.dialog.delegate.onReoffer?.(sdpOf(this.theirs ? 'sendonly' : 'sendrecv'));
    if (!answer || !('sdp' in answer)) throw new Error('the offer of the peer was refused');
    this.#sent(answer.sdp);
    expect(directionOf(answer.sdp)).toBe(mirrored(this.theirs ? 'sendonly' : 'sendrecv', this.ours));
  }

  #asksForOffer(): void {
    this.#stale = true;
    const offer = this.dialog.delegate.onReoffer?.(null);
    if (!offer || !('sdp' in offer)) throw new Error('the peer got no offer');
    this.#sent(offer.sdp);
    expect(directionOf(offer.sdp)).toBe(this.ours ? 'sendonly' : 'sendrecv');
    this.dialog.ack(sdpOf(mirrored(directionOf(offer.sdp), this.theirs)));
  }

  /** RFC 3264 §8: another SDP has a higher version, the same one its own. */
  #sent(sdp: string): void {
    const version = versionOf(sdp);
    expect(version).toBeGreaterThanOrEqual(this.#lastVersion);
    this.#lastVersion = version;
    expect(this.#versions.get(version) ?? sdp).toBe(sdp);
    this.#versions.set(version, sdp);
  }

  check(): void {
    const { ours, theirs, layer } = this;
    expect(layer.agent.holds.at(-1)).toBe(ours || theirs);
    const remote = layer.rtp.last.remotes.at(-1);
    expect(remote).toMatchObject({ send: !theirs, ...(ours ? { receive: false } : {}) });
    expect(layer.rtp.last).toMatchObject({ paused: ours, background: ours ? 'music' : null });
    const told = layer.events.ofCall(CALL).flatMap((event) => (event.type === 'hold' ? [event] : []));
    expect(told.at(-1) ?? { ours: false, theirs: false }).toMatchObject({ ours, theirs });
    const outcomes = layer.events.ofCall(CALL).flatMap((event) => (event.type === 'command' ? [event.outcome] : []));
    expect(outcomes).toEqual(this.outcomes);
  }
}

describe('hold and resume', () => {
  it('is what both sides have agreed to last, in every order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { maxLength: 40 }), async (steps) => {
        const subject = new Subject();
        await subject.begin();
        for (const step of steps) {
          await subject.take(step);
          subject.check();
        }
      }),
      { numRuns: 200 },
    );
  });
});
