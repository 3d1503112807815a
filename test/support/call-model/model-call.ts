/** One call that a script is played on, held against the model after each step. Throws what is not as the model has it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber } from '../outbound';
import type { MatrixStack } from '../transfer/matrix-stack';
import { ModelSupervision } from './model-supervision';
import { ModelTransfers } from './model-transfers';
import { expectThat, PlayedCall } from './played-call';
import { refusalOf } from './script';
import type { Raced, Script, Step, Told } from './script';

const BODIES: Readonly<Partial<Record<Told, object>>> = {
  say: { text: 'One moment.', interrupt: true },
  dtmf: { digits: '4' },
  instruct: { text: 'The caller likes trains.' },
};

export class ModelCall {
  readonly #call: PlayedCall;
  readonly #transfers: ModelTransfers;
  readonly #supervision: ModelSupervision;

  static async play(matrix: MatrixStack, script: Script): Promise<void> {
    const { phone, id } = await matrix.answered(matrix.desk);
    const played = new PlayedCall(matrix, phone, id);
    const call = new ModelCall(played);
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
      const whole = `at ${at} in ${JSON.stringify(played.state)}, ${became}: ${(error as Error).message}`;
      throw new Error(`${id}: ${whole}\n  of ${JSON.stringify(script)}`, { cause: error });
    }
  }

  private constructor(call: PlayedCall) {
    this.#call = call;
    this.#transfers = new ModelTransfers(call);
    this.#supervision = new ModelSupervision(call);
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'tell':
        return await this.#tell(step.verb);
      case 'transfer':
        return await this.#transfers.begin(step);
      case 'decide':
        return await this.#transfers.decide();
      case 'supervise':
        return await this.#supervision.supervise(step.who, step.mode, step.comes);
      case 'unsupervise':
        return await this.#supervision.unsupervise();
      case 'supervisor leaves':
        return await this.#supervision.leave();
      case 'peer holds':
        return await this.#peerHolds(step.held);
      case 'hang up':
        return await this.#hangUp(step.by);
      case 'race':
        if (this.#call.state.place !== 'over') await this.#race(step.verb, step.afterMs);
    }
  }

  async #tell(verb: Told): Promise<void> {
    const { state } = this.#call;
    const wanted = refusalOf(verb, state);
    const answer = await this.#call.postUntilKnown(verb, BODIES[verb]);
    if (wanted !== null) return this.#call.expectRefusal(answer, wanted);
    expectThat(`${verb}: ${JSON.stringify(answer.body)}`, answer.status, 200);
    if (verb === 'hold' || verb === 'unhold') {
      state.ourHold = verb === 'hold';
      await this.#call.untilStatus();
    }
    if (verb === 'mute' || verb === 'unmute') state.muted = verb === 'mute';
  }

  async #peerHolds(held: boolean): Promise<void> {
    const { state, phone } = this.#call;
    if (state.place === 'over') return;
    expectThat('the answer to the re-INVITE', await phone.hold(held), 200);
    state.theirHold = held;
    await this.#call.untilStatus();
  }

  async #hangUp(by: 'api' | 'caller' | 'callee'): Promise<void> {
    if (by === 'api') expectThat('the hang-up', (await this.#call.post('hangup')).status, 200);
    else if (by === 'caller') await this.#call.phone.hangup();
    else if (!(await this.#transfers.calleeLeaves())) return;
    await this.#call.over();
  }

  /** Either it was in time, or the call was over. */
  async #race(verb: Raced, afterMs: number): Promise<void> {
    const { matrix, phone, state } = this.#call;
    const number = newNumber();
    matrix.answers.set(number, verb === 'supervise' ? { status: 200, ringMs: 50 } : { ring: 'forever' });
    const wanted = wantedOf(verb, state);
    const posting = this.#raced(verb, number);
    const [answer] = await Promise.all([posting, sleep(afterMs).then(() => phone.hangup())]);
    const may = [wanted ?? 200, 'ended'];
    const came = answer.status === 200 ? 200 : answer.body.code;
    if (!may.includes(came ?? '')) throw new Error(`${verb} came to ${String(came)}, not ${may.join(' or ')}`);
    if (came === 'ended') expectThat('the status of an ended call', answer.body.call_status, 'completed');
    await this.#call.over();
    if (this.#call.invitesTo(number).length > 1) throw new Error('somebody was dialled twice');
  }

  #raced(verb: Raced, number: string): ReturnType<PlayedCall['post']> {
    switch (verb) {
      case 'transfer':
      case 'warm':
        return this.#transfers.ask({ type: 'phone', value: number, mode: verb === 'warm' ? verb : 'bridge' });
      case 'supervise':
        return this.#call.postUntilKnown(verb, { destination: number, mode: 'listen' });
      default:
        return this.#call.postUntilKnown(verb, BODIES[verb]);
    }
  }

  /** Hung up, unless it was; and then what it has left behind. */
  async #end(): Promise<void> {
    if (this.#call.state.place !== 'over') await this.#hangUp('caller');
    const call = await this.#call.over();
    expectThat('truncated', call.truncated, false);
    const events = await this.#call.events();
    const terminal = events.filter(({ type }) => type === 'call.ended' || type === 'call.failed');
    expectThat('terminal events', terminal.length, 1);
    const own = events.filter(({ source }) => source === 'workflow').map(({ type }) => type);
    const requested = own.filter((type) => type === 'transfer.requested').length;
    const settled = own.filter((type) => type === 'transfer.completed' || type === 'transfer.failed').length;
    expectThat('transfers that are settled', settled, requested);
    this.#transfers.check();
    await this.#supervision.check();
    await this.#sequencesAreWhole();
  }

  async #sequencesAreWhole(): Promise<void> {
    for (const [leg, phone] of this.#call.phones.entries()) {
      const { packets, lost } = await phone.stream.arrivals();
      if (lost > 0) throw new Error(`${lost} of ${packets + lost} sequence numbers are missing at leg ${leg}`);
    }
  }
}

function wantedOf(verb: Raced, state: PlayedCall['state']): string | null {
  // By a number of its own, so by nobody who is there.
  if (verb === 'supervise') return state.supervisor === null ? null : 'supervised';
  return refusalOf(verb === 'warm' ? 'transfer' : verb, state);
}
