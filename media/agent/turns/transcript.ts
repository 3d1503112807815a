/** What was said, as context for the responder and, turn by turn, for the call's record; times count from the answer. */
import type { SpokenTurn } from '../agent-session';
import type { ChatMessage } from '../responder/responder';

export class Transcript {
  readonly #messages: ChatMessage[] = [];
  readonly #onTurn: (turn: SpokenTurn) => void;
  #answeredAt = 0;
  #closed = false;

  constructor(onTurn: (turn: SpokenTurn) => void) {
    this.#onTurn = onTurn;
  }

  get messages(): readonly ChatMessage[] {
    return [...this.#messages];
  }

  answered(at: number): void {
    this.#answeredAt = at;
  }

  sinceAnswer(at: number): number {
    return Math.max(0, Math.round(at - this.#answeredAt));
  }

  callerSaid(text: string, startedAt: number, endedAt: number): void {
    this.#add('caller', text, startedAt, endedAt, null);
  }

  /** `text` is what was heard of it. */
  agentSaid(text: string, startedAt: number, endedAt: number, interruptedAtMs: number | null): void {
    this.#add('agent', text, startedAt, endedAt, interruptedAtMs);
  }

  close(): void {
    this.#closed = true;
  }

  #add(
    speaker: SpokenTurn['speaker'],
    text: string,
    startedAt: number,
    endedAt: number,
    interruptedAtMs: number | null,
  ): void {
    if (this.#closed || text === '') return;
    this.#messages.push({ role: speaker === 'agent' ? 'assistant' : 'user', content: text });
    const startMs = this.sinceAnswer(startedAt);
    this.#onTurn({
      speaker,
      text,
      startMs,
      endMs: Math.max(startMs, this.sinceAnswer(endedAt)),
      interruptedAtMs,
    });
  }
}
