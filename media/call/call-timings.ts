/** Marks of one call on the monotonic clock, and the differences that are reported and logged. */
import type { CallDirection } from '../../contract/call';
/** `begin`: INVITE read from the socket, or the dial command. */
export type TimingMark =
  | 'begin'
  | 'routed'
  | 'workflow_started'
  | 'invite_sent'
  | 'ringing'
  | 'warm'
  | 'answered'
  | 'ack'
  | 'first_sent'
  | 'first_received'
  | 'ended';

const SPANS: readonly (readonly [name: string, from: TimingMark, to: TimingMark, only?: CallDirection])[] = [
  ['inviteToRoutedMs', 'begin', 'routed', 'inbound'],
  ['inviteToWorkflowMs', 'begin', 'workflow_started', 'inbound'],
  ['inviteToRingingMs', 'begin', 'ringing', 'inbound'],
  ['inviteToWarmMs', 'begin', 'warm', 'inbound'],
  ['inviteToAnswerMs', 'begin', 'answered', 'inbound'],
  ['dialToInviteMs', 'begin', 'invite_sent', 'outbound'],
  ['inviteToRingingMs', 'invite_sent', 'ringing', 'outbound'],
  ['inviteToAnswerMs', 'invite_sent', 'answered', 'outbound'],
  ['answerToAckMs', 'answered', 'ack', 'inbound'],
  ['answerToFirstPacketMs', 'answered', 'first_sent'],
  ['answerToFirstReceivedMs', 'answered', 'first_received'],
  ['talkMs', 'answered', 'ended'],
];

export class CallTimings {
  readonly #direction: CallDirection;
  readonly #marks = new Map<TimingMark, number>();

  constructor(direction: CallDirection) {
    this.#direction = direction;
  }

  /** The first mark of a name stands. */
  mark(name: TimingMark, atMs: number): void {
    if (!this.#marks.has(name)) this.#marks.set(name, atMs);
  }

  between(from: TimingMark, to: TimingMark): number | null {
    const begin = this.#marks.get(from);
    const end = this.#marks.get(to);
    return begin === undefined || end === undefined ? null : Math.round((end - begin) * 10) / 10;
  }

  /** INVITE → first 18x, else → 200. */
  postDialDelayMs(): number | null {
    const from: TimingMark = this.#direction === 'inbound' ? 'begin' : 'invite_sent';
    return this.between(from, 'ringing') ?? this.between(from, 'answered');
  }

  snapshot(): Record<string, number | null> {
    const spans: Record<string, number | null> = {};
    for (const [name, from, to, only] of SPANS) {
      if (!only || only === this.#direction) spans[name] = this.between(from, to);
    }
    return spans;
  }
}
