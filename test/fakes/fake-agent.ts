import type { TransferOrigin } from '../../contract/transfers';
import type { AgentDelegate, AgentPersona, AgentSession, SayOptions } from '../../media/agent/agent-session';

/** An agent that is warm when the test says so and does what the test makes it do. */
export class FakeAgent implements AgentSession {
  readonly mayBeTold = true;
  started = 0;
  finished = 0;
  closed = 0;
  /** What it still has to say when the call is over. */
  onFinish = (): void => undefined;
  readonly digits: string[] = [];
  readonly holds: boolean[] = [];
  readonly said: ({ readonly text: string } & SayOptions)[] = [];
  readonly instructions: string[] = [];
  readonly refused: { readonly by: TransferOrigin; readonly text: string }[] = [];
  readonly mutes: boolean[] = [];
  readonly #warmed: Promise<void>;
  #finishWarm: () => void = () => undefined;

  constructor(
    readonly persona: AgentPersona,
    readonly delegate: AgentDelegate,
    warmAtOnce: boolean,
  ) {
    this.#warmed = warmAtOnce ? Promise.resolve() : new Promise((resolve) => (this.#finishWarm = resolve));
  }

  finishWarm(): void {
    this.#finishWarm();
  }

  warm(): Promise<void> {
    return this.#warmed;
  }

  start(): void {
    this.started++;
  }

  hold(held: boolean): void {
    if (this.holds.at(-1) !== held) this.holds.push(held);
  }

  say(text: string, options: SayOptions): 'muted' | null {
    this.said.push({ text, ...options });
    return this.mutes.at(-1) === true ? 'muted' : null;
  }

  notTransferred(by: TransferOrigin, text: string): void {
    this.refused.push({ by, text });
  }

  instruct(text: string): boolean {
    this.instructions.push(text);
    return true;
  }

  mute(muted: boolean): void {
    this.mutes.push(muted);
  }

  onDtmf(digit: string): void {
    this.digits.push(digit);
  }

  onPlaybackFinished(): void {}

  finish(): Promise<void> {
    this.finished++;
    this.onFinish();
    return Promise.resolve();
  }

  close(): void {
    this.closed++;
  }
}
