/** One call that a script is played on: the call itself, the state that the model has it in, and what everybody asks of it. */
import type { PhoneCall } from '../phone/phone-call';
import type { ApiAnswer } from '../stack';
import { waitFor } from '../wait-for';
import type { MatrixCall, MatrixEvent, MatrixStack } from '../transfer/matrix-stack';
import { statusOf } from './script';
import type { ModelState } from './script';

export const LIMIT_MS = 30_000;

export interface ModelAnswer {
  readonly code?: string;
  readonly call_status?: string;
  readonly transfer_id?: string;
}

interface Posting {
  readonly method?: 'POST' | 'DELETE';
  /** Idempotency-Key. */
  readonly key?: string;
}

export class PlayedCall {
  readonly state: ModelState = {
    place: 'agent',
    ourHold: false,
    theirHold: false,
    muted: false,
    supervisor: null,
  };
  /** Everybody who was ever in it, the caller first. */
  readonly phones: PhoneCall[];

  constructor(
    readonly matrix: MatrixStack,
    readonly phone: PhoneCall,
    readonly callId: string,
  ) {
    this.phones = [phone];
  }

  post(verb: string, body?: object, { method = 'POST', key }: Posting = {}): Promise<ApiAnswer<ModelAnswer>> {
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    return this.matrix.stack.api<ModelAnswer>(method, `/phone/calls/${this.callId}/${verb}`, body, headers);
  }

  /** A machine that has other things to do may keep a node from answering in time: then it is said again, as clients do. */
  postUntilKnown(verb: string, body?: object, how?: Posting): Promise<ApiAnswer<ModelAnswer>> {
    return waitFor(`an answer to ${verb}`, LIMIT_MS, async () => {
      const answer = await this.post(verb, body, how);
      return answer.body.code === 'outcome_unknown' ? undefined : answer;
    });
  }

  expectRefusal({ status, body }: ApiAnswer<ModelAnswer>, code: string): void {
    const wanted = { status: 409, code, call_status: statusOf(this.state) };
    const is = { status, code: body.code, call_status: body.call_status };
    expectThat('a refusal', JSON.stringify(is), JSON.stringify(wanted));
  }

  /** The record follows what a phone does. */
  async untilStatus(): Promise<void> {
    const wanted = statusOf(this.state);
    await waitFor(`the status ${wanted}`, LIMIT_MS, async () =>
      (await this.matrix.find(this.callId))?.status === wanted ? true : undefined,
    );
  }

  /** It ends, if it has not: its record, and every leg. */
  async over(): Promise<MatrixCall> {
    this.state.place = 'over';
    this.state.supervisor = null;
    const call = await this.matrix.ended(this.callId, LIMIT_MS);
    if (call.transfer !== null && call.transfer.outcome === null) throw new Error('its transfer is under way for ever');
    await waitFor('the end of every leg', LIMIT_MS, () => (this.phones.every(({ over }) => over) ? true : undefined));
    return call;
  }

  events(): Promise<MatrixEvent[]> {
    return this.matrix.events(this.callId);
  }

  outcome(transferId: string): Promise<string | null> {
    return waitFor(`the outcome of ${transferId}`, LIMIT_MS, async () => {
      const transfer = (await this.matrix.find(this.callId))?.transfer;
      return transfer?.id === transferId && transfer.outcome !== null ? transfer.outcome : undefined;
    });
  }

  /** Whoever answers at the Call-ID of a leg. */
  leg(sipCallId: string): Promise<PhoneCall> {
    return waitFor(`the leg ${sipCallId}`, LIMIT_MS, () => {
      const there = this.matrix.far.calls.get(sipCallId);
      if (there !== undefined && !this.phones.includes(there)) this.phones.push(there);
      return there;
    });
  }

  invitesTo(number: string): readonly string[] {
    return this.matrix.far.invites.filter(({ user }) => user === number).map(({ sipCallId }) => sipCallId);
  }
}

export function expectThat(what: string, is: unknown, wanted: unknown): void {
  if (is !== wanted) throw new Error(`${what}: ${String(is)}, not ${String(wanted)}`);
}
