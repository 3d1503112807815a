/** Two who may listen in on a call that a script is played on, one at a time. */
import { newNumber } from '../outbound';
import type { PhoneCall } from '../phone/phone-call';
import { waitFor } from '../wait-for';
import { expectThat, LIMIT_MS } from './played-call';
import type { PlayedCall } from './played-call';
import { supervisionRefusal } from './script';
import type { Mode } from './script';

export class ModelSupervision {
  readonly #call: PlayedCall;
  readonly #numbers = [newNumber(), newNumber()] as const;
  #there: PhoneCall | null = null;
  #mode: Mode = 'listen';
  #rings = 0;
  readonly #told: string[] = [];

  constructor(call: PlayedCall) {
    this.#call = call;
  }

  async supervise(who: 0 | 1, mode: Mode, comes: 'answer' | 'busy'): Promise<void> {
    const { state, matrix } = this.#call;
    const wanted = supervisionRefusal(who, state);
    const number = this.#numbers[who];
    matrix.answers.set(number, { status: comes === 'answer' ? 200 : 486, ringMs: 50 });
    const answer = await this.#call.postUntilKnown('supervise', { destination: number, mode });
    if (wanted !== null) return this.#call.expectRefusal(answer, wanted);
    const calls = state.supervisor === null;
    if (calls) this.#rings++;
    if (calls && comes === 'busy') return this.#call.expectRefusal(answer, 'supervisor_not_reached');
    expectThat(`supervise: ${JSON.stringify(answer.body)}`, answer.status, 200);
    if (calls) {
      this.#there = await this.#call.leg(this.#call.invitesTo(number).at(-1) ?? 'that nobody was called by');
      this.#told.push(`supervisor_joined ${mode}`);
    } else if (mode !== this.#mode) this.#told.push(`supervisor_mode_changed ${mode}`);
    this.#mode = mode;
    state.supervisor = who;
  }

  async unsupervise(): Promise<void> {
    const { state } = this.#call;
    const wanted = supervisionRefusal('nobody', state);
    const answer = await this.#call.postUntilKnown('supervise', undefined, { method: 'DELETE' });
    if (wanted !== null) return this.#call.expectRefusal(answer, wanted);
    expectThat('the end of supervision', answer.status, 200);
    await waitFor('the BYE for a supervisor', LIMIT_MS, () => (this.#there?.over === false ? undefined : true));
    this.#left('sent_away');
  }

  async leave(): Promise<void> {
    if (this.#call.state.supervisor === null) return;
    expectThat('the answer to the BYE of a supervisor', await this.#there?.hangup(), 200);
    this.#left('hangup');
  }

  /** The call is over: what was told of it, and how often anybody was called. */
  async check(): Promise<void> {
    if (this.#there !== null) this.#left('call_ended');
    const invites = this.#numbers.flatMap((number) => this.#call.invitesTo(number));
    const told = (await this.#call.events())
      .filter(({ type }) => type.startsWith('supervisor_') && type !== 'supervisor_whispered')
      // Not of one who was called while the caller hung up.
      .filter(({ data }) => invites.includes(String(data['leg_id'])))
      .map(({ type, data }) => [type, data['mode'], ...(data['why'] === undefined ? [] : [data['why']])].join(' '));
    expectThat('what is told of supervisors', told.join(', '), this.#told.join(', '));
    expectThat('calls of supervisors', invites.length, this.#rings);
  }

  #left(why: string): void {
    this.#told.push(`supervisor_left ${this.#mode} ${why}`);
    this.#there = null;
    this.#call.state.supervisor = null;
  }
}
