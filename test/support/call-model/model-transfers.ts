/** The transfers of a call that a script is played on, one after the other: who is called, and what they do when it is their turn. */
import { randomUUID } from 'node:crypto';

import { newNumber } from '../outbound';
import type { PhoneCall } from '../phone/phone-call';
import { headerOf } from '../phone/sip-text';
import type { SipText } from '../phone/sip-text';
import { followAndTell } from '../transfer/follow-referral';
import { waitFor } from '../wait-for';
import type { ApiAnswer } from '../stack';
import { expectThat, LIMIT_MS } from './played-call';
import type { ModelAnswer, PlayedCall } from './played-call';
import { refusalOf } from './script';
import type { Transfer } from './script';

interface Running {
  readonly id: string;
  readonly transfer: Transfer;
  readonly number: string;
  readonly answer: () => void;
}

const OUTCOMES = { answer: 'transferred', busy: 'busy', decline: 'declined' } as const;
const WHO_DOES = { answer: '1', decline: '2' } as const;

export class ModelTransfers {
  readonly #call: PlayedCall;
  readonly #all: Running[] = [];
  /** By which the phone system is asked to call somebody, and to join two by itself. */
  readonly #refers: SipText[] = [];
  readonly #attended: SipText[] = [];
  /** Somebody who is asked, and whoever was joined. */
  #asked: PhoneCall | null = null;
  #joined: PhoneCall | null = null;
  #expectAttended = 0;

  constructor(call: PlayedCall) {
    this.#call = call;
    call.phone.answerRefer = (refer) => {
      const attended = headerOf(refer, 'refer-to').includes('Replaces');
      (attended ? this.#attended : this.#refers).push(refer);
      const last = this.#all.at(-1)?.transfer;
      return attended && last?.by === 'warm' && last.replaced === 'refused' ? 603 : 202;
    };
  }

  async begin(transfer: Transfer): Promise<void> {
    const { by, comes } = transfer;
    const { state, matrix } = this.#call;
    const number = newNumber();
    let answer: () => void = () => undefined;
    const ringUntil = new Promise<void>((resolve) => (answer = resolve));
    matrix.answers.set(number, { status: comes === 'busy' ? 486 : 200, ringUntil });
    const before = this.#refers.length;
    const wanted = refusalOf('transfer', state);
    const briefing = by === 'warm' ? { briefing: 'A call.' } : {};
    const body = { type: 'phone', value: number, mode: by, ring_timeout_seconds: 120, ...briefing };
    const taken = await this.ask(body);
    if (wanted !== null) return this.#call.expectRefusal(taken, wanted);
    expectThat('the transfer', taken.status, 200);
    this.#all.push({ id: taken.body.transfer_id ?? '', transfer, number, answer });
    state.place = 'transferring';
    await waitFor('a phone to ring, or a REFER', LIMIT_MS, () => {
      const reached = by === 'refer' ? this.#refers.length > before : this.#call.invitesTo(number).length > 0;
      return reached ? true : undefined;
    });
  }

  /** Until it is taken, or refused for what the model knows of. */
  ask(body: object): Promise<ApiAnswer<ModelAnswer>> {
    const wanted = refusalOf('transfer', this.#call.state);
    return waitFor('an answer to the transfer', LIMIT_MS, async () => {
      // Known by its key, it is begun once, however often it is asked for.
      const came = await this.#call.postUntilKnown('transfer', body, { key: randomUUID() });
      // The workflow of the call may hear of the end of a transfer a moment after its record.
      return wanted !== 'transferring' && came.body.code === 'transferring' ? undefined : came;
    });
  }

  /** Whoever is called answers or does not, and one who is asked decides, which is another turn. */
  async decide(): Promise<void> {
    const running = this.#all.at(-1);
    if (running === undefined || this.#call.state.place !== 'transferring') return;
    const { transfer, answer } = running;
    if (transfer.by === 'refer') return await this.#notify(running);
    if (transfer.by === 'bridge') {
      answer();
      await this.#comesTo(running);
      if (transfer.comes === 'answer') this.#joined = await this.#call.leg(running.id);
    } else if (transfer.by === 'warm' && this.#asked !== null) await this.#askedDecides(running, transfer);
    else if (transfer.comes === 'busy') {
      answer();
      await this.#comesTo(running);
    } else {
      answer();
      this.#asked = await this.#call.leg(running.id);
      // From then on a key is heard.
      await waitFor('somebody to be asked', LIMIT_MS, async () =>
        (await this.#call.events()).find(({ type, data }) => type === 'consult' && data['leg_id'] === running.id),
      );
    }
  }

  /** Who was called hangs up. False: nobody is there. */
  async calleeLeaves(): Promise<boolean> {
    const running = this.#all.at(-1);
    if (this.#asked !== null && running !== undefined) {
      await this.#asked.hangup();
      this.#asked = null;
      expectThat('the outcome', await this.#call.outcome(running.id), 'declined');
      this.#call.state.place = 'agent';
      return false;
    }
    if (this.#joined === null) return false;
    await this.#joined.hangup();
    return true;
  }

  /** The call is over: nobody was called twice, and nobody whom a REFER was for. */
  check(): void {
    for (const { number, transfer } of this.#all) {
      const invites = this.#call.invitesTo(number).length;
      if (invites > 1) throw new Error('somebody was dialled twice');
      if (transfer.by === 'refer') expectThat('INVITEs of a REFER', invites, 0);
    }
    expectThat('REFERs', this.#refers.length, this.#all.filter(({ transfer }) => transfer.by === 'refer').length);
    expectThat('REFERs with Replaces', this.#attended.length, this.#expectAttended);
  }

  async #notify(running: Running): Promise<void> {
    const { comes } = running.transfer;
    const [status, words] = comes === 'answer' ? [200, 'OK'] : [486, 'Busy Here'];
    const told = await this.#call.phone.notifyReferred(status, words, 'terminated;reason=noresource');
    expectThat('the answer to the NOTIFY', told, 200);
    await this.#comesTo(running);
    if (comes === 'answer') await this.#call.over(); // our BYE, two seconds later
  }

  async #askedDecides(running: Running, transfer: Transfer & { readonly by: 'warm' }): Promise<void> {
    const there = this.#asked;
    if (there === null || transfer.comes === 'busy') return;
    const { state, phone, matrix } = this.#call;
    const free = state.supervisor === null && !state.theirHold;
    // Hung up, a phone does not come to the end of its key.
    void there.sendDigits(WHO_DOES[transfer.comes]);
    this.#asked = null;
    await this.#comesTo(running);
    if (transfer.comes === 'decline') return;
    this.#joined = there;
    if (!free) return;
    this.#expectAttended++;
    const refer = await waitFor('the REFER with Replaces', LIMIT_MS, () => this.#attended[this.#expectAttended - 1]);
    if (transfer.replaced !== 'done') return;
    const direct = await followAndTell(matrix.desk, phone, refer);
    await this.#call.over();
    expectThat('the two by themselves', direct.over, false);
    await direct.hangup();
  }

  async #comesTo({ id, transfer: { comes } }: Running): Promise<void> {
    expectThat('the outcome', await this.#call.outcome(id), OUTCOMES[comes]);
    this.#call.state.place = comes === 'answer' ? 'transferred' : 'agent';
  }
}
