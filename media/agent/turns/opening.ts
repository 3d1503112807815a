/** How a conversation begins: a disclosure that is said to its end, then the first message; all of it prepared before the answer. */
import type { AgentPersona } from '../agent-session';
import { splitSentences } from './sentences';
import type { SynthesisedSentence } from './synthesised-sentence';

export class Opening {
  readonly #texts: { readonly disclosure: readonly string[]; readonly message: readonly string[] };
  readonly #synthesise: (text: string) => SynthesisedSentence;
  #prepared: { readonly disclosure: SynthesisedSentence[]; readonly message: SynthesisedSentence[] } | null = null;
  /** The first message, while a disclosure goes before it. */
  #pending: SynthesisedSentence[] = [];

  constructor(
    { disclosure = '', firstMessage }: Pick<AgentPersona, 'disclosure' | 'firstMessage'>,
    synthesise: (text: string) => SynthesisedSentence,
  ) {
    this.#texts = { disclosure: splitSentences(disclosure), message: splitSentences(firstMessage) };
    this.#synthesise = synthesise;
  }

  /** There is something to be said after the disclosure. */
  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** The sentence that is heard first, if any. */
  prepare(): SynthesisedSentence | undefined {
    const { disclosure, message } = this.#sentences();
    return disclosure[0] ?? message[0];
  }

  /** What is said at the answer. `insists`: nobody takes the turn from it. */
  begin(): { readonly sentences: readonly SynthesisedSentence[]; readonly insists: boolean } {
    const { disclosure, message } = this.#sentences();
    if (disclosure.length === 0) return { sentences: message, insists: false };
    this.#pending = message;
    return { sentences: disclosure, insists: true };
  }

  /** What follows on the disclosure, once. */
  takePending(): readonly SynthesisedSentence[] {
    return this.#pending.splice(0);
  }

  cancel(): void {
    for (const sentence of [...(this.#prepared?.disclosure ?? []), ...(this.#prepared?.message ?? [])])
      sentence.cancel();
  }

  #sentences(): { readonly disclosure: SynthesisedSentence[]; readonly message: SynthesisedSentence[] } {
    const { disclosure, message } = this.#texts;
    const made = (texts: readonly string[]): SynthesisedSentence[] => texts.map((text) => this.#synthesise(text));
    return (this.#prepared ??= { disclosure: made(disclosure), message: made(message) });
  }
}
