/** Responders in order of preference: when one fails, the next answers within the same turn. */
import type { Responder, ResponderEvent } from './responder';
/** Said when an answer breaks off after part of it was spoken: starting over would repeat it. */
const BROKEN_OFF = ' Sorry, I lost my thread. Could you ask me that again?';

export class FallbackResponder implements Responder {
  readonly name: string;
  readonly #responders: readonly Responder[];
  readonly #onProblem: (error: unknown) => void;

  constructor(responders: readonly Responder[], onProblem: (error: unknown) => void) {
    this.#responders = responders;
    this.#onProblem = onProblem;
    this.name = responders.map((responder) => responder.name).join(', then ');
  }

  async *respond(request: Parameters<Responder['respond']>[0]): AsyncGenerator<ResponderEvent> {
    let lastError: unknown = new Error('no responder');
    for (const responder of this.#responders) {
      let begun = false;
      try {
        for await (const event of responder.respond(request)) {
          begun = true;
          yield event;
        }
        return;
      } catch (error) {
        request.signal.throwIfAborted();
        this.#onProblem(error);
        lastError = error;
      }
      if (!begun) continue;
      yield { type: 'text', delta: BROKEN_OFF };
      return;
    }
    throw lastError;
  }
}
