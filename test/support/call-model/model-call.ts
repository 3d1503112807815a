/** One call that a script is played on, held against the model after each step. Throws what is not as the model has it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber } from '../outbound';
import type { PhoneCall } from '../phone/phone-call';
import type { ApiAnswer } from '../stack';
import { waitFor } from '../wait-for';
import type { MatrixCall, MatrixStack } from '../transfer/matrix-stack';
import { refusalOf, statusOf } from './script';
import type { ModelState, Script, Step, Told } from './script';

const LIMIT_MS = 30_000;
const BODIES: Readonly<Partial<Record<Told, object>>> = {
  say: { text: 'One moment.', interrupt: true },
  dtmf: { digits: '4' },
  instruct: { text: 'The caller likes trains.' },
};

interface Answer {
  readonly code?: string;
  readonly call_status?: string;
  readonly transfer_id?: string;
}

interface Running {
  readonly id: string;
  readonly by: 'bridge' | 'refer';
  readonly comes: 'answer' | 'busy';
  readonly number: string;
  readonly decide: () => void;
}

export class ModelCall {
  readonly #matrix: MatrixStack;
  readonly #phone: PhoneCall;
  readonly #callId: string;
  readonly #state: ModelState = { place: 'agent', ourHold: false, theirHold: false, muted: false };
  readonly #transfers: Running[] = [];
  /** Whoever was joined. */
  #far: PhoneCall | null = null;

  static async play(matrix: MatrixStack, script: Script): Promise<void> {
    const { phone, id } = await matrix.answered(matrix.pbx);
    const call = new ModelCall(matrix, phone, id);
    let at = '';
    try {
      for (const { afterMs, step } of script) {
        await sleep(afterMs);
        at = JSON.stringify(step);
        await call.#take(step);
      }
      at = 'the end';
      await call.#end();
    } catch (error) {
      const record = await matrix.find(id);
      const became = `${record?.status} ${record?.end_reason} by ${record?.ended_by}`;
      const whole = `at ${at} in ${JSON.stringify(call.#state)}, ${became}: ${(error as Error).message}`;
      throw new Error(`${id}: ${whole}\n  of ${JSON.stringify(script)}`, { cause: error });
    }
  }

  private constructor(matrix: MatrixStack, phone: PhoneCall, callId: string) {
    this.#matrix = matrix;
    this.#phone = phone;
    this.#callId = callId;
  }

  async #take(step: Step): Promise<void> {
    const state = this.#state;
    switch (step.do) {
      case 'tell':
        return await this.#tell(step.verb);
      case 'transfer':
        return await this.#transfer(step.by, step.comes);
      case 'decide':
        if (state.place === 'transferring') await this.#decide();
        return;
      case 'peer holds':
        return await this.#peerHolds(step.held);
      case 'hang up':
        return await this.#hangUp(step.by);
      case 'race':
        if (state.place !== 'over') await this.#race(step.verb, step.afterMs);
    }
  }

  async #tell(verb: Told): Promise<void> {
    const state = this.#state;
    const wanted = refusalOf(verb, state);
    const answer = await this.#postUntilKnown(verb);
    if (wanted !== null) return this.#expectRefusal(answer, wanted);
    expectThat(`${verb}: ${JSON.stringify(answer.body)}`, answer.status, 200);
    if (verb === 'hold' || verb === 'unhold') {
      state.ourHold = verb === 'hold';
      await this.#untilStatus();
    }
    if (verb === 'mute' || verb === 'unmute') state.muted = verb === 'mute';
  }

  async #transfer(by: Running['by'], comes: Running['comes']): Promise<void> {
    const state = this.#state;
    const number = newNumber();
    let decide: () => void = () => undefined;
    const ringUntil = new Promise<void>((resolve) => (decide = resolve));
    this.#matrix.answers.set(number, { status: comes === 'answer' ? 200 : 486, ringUntil });
    const refers = this.#phone.refers.length;
    this.#phone.answerRefer = () => 202;
    const wanted = refusalOf('transfer', state);
    const body = { type: 'phone', value: number, mode: by, ring_timeout_seconds: 120 };
    const answer = await waitFor('an answer to the transfer', LIMIT_MS, async () => {
      const came = await this.#post('transfer', body);
      // The workflow of the call may hear of the end of a transfer a moment after its record.
      return wanted !== 'transferring' && came.body.code === 'transferring' ? undefined : came;
    });
    if (wanted !== null) return this.#expectRefusal(answer, wanted);
    expectThat('the transfer', answer.status, 200);
    const running = { id: answer.body.transfer_id ?? '', by, comes, number, decide };
    this.#transfers.push(running);
    state.place = 'transferring';
    await waitFor('a phone to ring, or a REFER', LIMIT_MS, () =>
      (by === 'refer' ? this.#phone.refers.length > refers : this.#invitesTo(number) > 0) ? true : undefined,
    );
  }

  async #decide(): Promise<void> {
    const running = this.#transfers.at(-1);
    if (running === undefined) return;
    const { id, by, comes, decide } = running;
    if (by === 'bridge') decide();
    else {
      const [status, words] = comes === 'answer' ? [200, 'OK'] : [486, 'Busy Here'];
      expectThat(
        'the answer to the NOTIFY',
        await this.#phone.notifyReferred(status, words, 'terminated;reason=noresource'),
        200,
      );
    }
    const { outcome } = await this.#outcome(id);
    expectThat('the outcome', outcome, comes === 'answer' ? 'transferred' : 'busy');
    if (comes === 'busy') this.#state.place = 'agent';
    else if (by === 'bridge') {
      this.#state.place = 'transferred';
      this.#far = await waitFor('the leg of the destination', LIMIT_MS, () => this.#matrix.far.calls.get(id));
    } else await this.#over(); // our BYE, two seconds later
  }

  async #peerHolds(held: boolean): Promise<void> {
    if (this.#state.place === 'over') return;
    expectThat('the answer to the re-INVITE', await this.#phone.hold(held), 200);
    this.#state.theirHold = held;
    await this.#untilStatus();
  }

  async #hangUp(by: 'api' | 'caller' | 'callee'): Promise<void> {
    if (by === 'api') {
      expectThat('the hang-up', (await this.#post('hangup')).status, 200);
    } else if (by === 'caller') await this.#phone.hangup();
    else if (this.#far === null) return;
    else await this.#far.hangup();
    await this.#over();
  }

  /** Either it was in time, or the call was over. */
  async #race(verb: Told | 'transfer', afterMs: number): Promise<void> {
    const wanted = refusalOf(verb, this.#state);
    const number = newNumber();
    this.#matrix.answers.set(number, { ring: 'forever' });
    const body = { type: 'phone', value: number, mode: 'bridge' };
    const posting = verb === 'transfer' ? this.#post(verb, body) : this.#postUntilKnown(verb);
    const [answer] = await Promise.all([posting, sleep(afterMs).then(() => this.#phone.hangup())]);
    const may = [wanted ?? 200, 'ended'];
    const came = answer.status === 200 ? 200 : answer.body.code;
    if (!may.includes(came ?? '')) throw new Error(`${verb} came to ${String(came)}, not ${may.join(' or ')}`);
    if (came === 'ended') expectThat('the status of an ended call', answer.body.call_status, 'completed');
    await this.#over();
    if (this.#invitesTo(number) > 1) throw new Error('somebody was dialled twice');
  }

  /** Hung up, unless it was; and then what it has left behind. */
  async #end(): Promise<void> {
    if (this.#state.place !== 'over') await this.#hangUp('caller');
    const call = await this.#over();
    expectThat('truncated', call.truncated, false);
    const events = await this.#matrix.events(this.#callId);
    const terminal = events.filter(({ type }) => type === 'call.ended' || type === 'call.failed');
    expectThat('terminal events', terminal.length, 1);
    const own = events.filter(({ source }) => source === 'workflow').map(({ type }) => type);
    const requested = own.filter((type) => type === 'transfer.requested').length;
    const settled = own.filter((type) => type === 'transfer.completed' || type === 'transfer.failed').length;
    expectThat('transfers that are settled', settled, requested);
    for (const { number, by } of this.#transfers) {
      if (this.#invitesTo(number) > 1) throw new Error('somebody was dialled twice');
      if (by === 'refer') expectThat('INVITEs of a REFER', this.#invitesTo(number), 0);
    }
    await this.#sequencesAreWhole();
  }

  async #sequencesAreWhole(): Promise<void> {
    for (const phone of [this.#phone, ...(this.#far === null ? [] : [this.#far])]) {
      const { packets, lost } = await phone.stream.arrivals();
      if (lost > 0) throw new Error(`${lost} of ${packets + lost} sequence numbers are missing`);
    }
  }

  async #over(): Promise<MatrixCall> {
    this.#state.place = 'over';
    const call = await this.#matrix.ended(this.#callId, LIMIT_MS);
    if (call.transfer !== null && call.transfer.outcome === null) throw new Error('its transfer is under way for ever');
    const phones = [this.#phone, ...this.#transfers.flatMap(({ id }) => this.#matrix.far.calls.get(id) ?? [])];
    await waitFor('the end of every leg', LIMIT_MS, () => (phones.every(({ over }) => over) ? true : undefined));
    return call;
  }

  #outcome(transferId: string): Promise<{ readonly outcome: string | null }> {
    return waitFor(`the outcome of ${transferId}`, LIMIT_MS, async () => {
      const transfer = (await this.#matrix.find(this.#callId))?.transfer;
      return transfer?.id === transferId && transfer.outcome !== null ? transfer : undefined;
    });
  }

  /** The record follows what a phone does. */
  async #untilStatus(): Promise<void> {
    const wanted = statusOf(this.#state);
    await waitFor(`the status ${wanted}`, LIMIT_MS, async () =>
      (await this.#matrix.find(this.#callId))?.status === wanted ? true : undefined,
    );
  }

  #expectRefusal({ status, body }: ApiAnswer<Answer>, code: string): void {
    const wanted = { status: 409, code, call_status: statusOf(this.#state) };
    expectThat(
      'a refusal',
      JSON.stringify({ status, code: body.code, call_status: body.call_status }),
      JSON.stringify(wanted),
    );
  }

  /** A machine that has other things to do may keep a node from answering in time: then it is said again, as clients do. */
  #postUntilKnown(verb: Told): Promise<ApiAnswer<Answer>> {
    return waitFor(`an answer to ${verb}`, LIMIT_MS, async () => {
      const answer = await this.#post(verb, BODIES[verb]);
      return answer.body.code === 'outcome_unknown' ? undefined : answer;
    });
  }

  #post(verb: string, body?: object): Promise<ApiAnswer<Answer>> {
    return this.#matrix.stack.api<Answer>('POST', `/phone/calls/${this.#callId}/${verb}`, body);
  }

  #invitesTo(number: string): number {
    return this.#matrix.far.invites.filter(({ user }) => user === number).length;
  }
}

function expectThat(what: string, is: unknown, wanted: unknown): void {
  if (is !== wanted) throw new Error(`${what}: ${String(is)}, not ${String(wanted)}`);
}
