/**
 * Responder over any OpenAI-compatible chat completions API, streamed.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
import type { AgentPersona } from '../agent-session';
import { ProviderError } from '../provider-error';
import { chatRequest, parseChunk } from './chat-completion';
import { eventData } from './event-stream';
import { TransferCalls } from './transfer-tools';
import type { ChatMessage, Responder, ResponderEvent, ResponderRequest } from './responder';

const FIRST_TOKEN_MS = 2_500;
const NEXT_TOKEN_MS = 2_500;
const DONE = '[DONE]';

export interface OpenAiResponderOptions {
  /** Up to and including the version, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string;
  /** Until the first token; default 2500. */
  readonly firstTokenMs?: number;
  /** Between two events of the stream; comments that keep the connection open do not count. Default 2500. */
  readonly nextTokenMs?: number;
}

export class OpenAiResponder implements Responder {
  readonly name: string;
  readonly #options: OpenAiResponderOptions;

  constructor(options: OpenAiResponderOptions) {
    this.#options = options;
    this.name = `openai-compatible (${options.model})`;
  }

  /** Throws ProviderError; its message holds a status or a cause, never the key or a text. */
  async *respond(request: ResponderRequest): AsyncGenerator<ResponderEvent> {
    request.signal.throwIfAborted();
    const patience = new Patience(request.signal, this.#options.firstTokenMs ?? FIRST_TOKEN_MS);
    try {
      const response = await this.#ask(request.persona, request.history, patience.signal);
      const calls = new TransferCalls(request.persona);
      let finished = false;
      for await (const data of portions(response)) {
        patience.renew(this.#options.nextTokenMs ?? NEXT_TOKEN_MS);
        if (data === DONE) {
          finished = true;
          break;
        }
        const content = parseChunk(data);
        yield* content.events;
        for (const call of content.calls) calls.take(call);
        finished ||= content.finished;
      }
      if (!finished) throw new ProviderError(this.name, 'failed', 'the stream broke off');
      // A call that was cut off is none.
      yield* calls.events();
    } catch (error) {
      request.signal.throwIfAborted();
      throw this.#asProviderError(error, patience);
    } finally {
      patience.end();
    }
  }

  async #ask(persona: AgentPersona, history: readonly ChatMessage[], signal: AbortSignal): Promise<Response> {
    const { baseUrl, apiKey, model } = this.#options;
    const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(chatRequest(model, persona, history)),
      signal,
    });
    if (response.ok && response.body) return response;
    await response.body?.cancel();
    throw new ProviderError(this.name, 'failed', `answered ${response.status}`);
  }

  #asProviderError(error: unknown, patience: Patience): ProviderError {
    if (error instanceof ProviderError) return error;
    if (patience.lost) return new ProviderError(this.name, 'timeout', 'took too long');
    const { cause, message } = error as { cause?: { code?: string }; message?: string };
    // fetch only says that it failed; its cause has the code of the connection's error.
    return new ProviderError(this.name, 'failed', cause?.code ?? message ?? 'unknown error');
  }
}

/** The data of each event; a server that ignores `stream` answers with one JSON document instead. */
async function* portions(response: Response): AsyncGenerator<string> {
  if (response.headers.get('content-type')?.includes('application/json')) {
    yield await response.text();
    return;
  }
  yield* eventData(response.body as AsyncIterable<Uint8Array>);
}

/** Aborts when the caller's signal does, or when nothing came for too long. */
class Patience {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  #timer: NodeJS.Timeout;
  #lost = false;

  constructor(outer: AbortSignal, ms: number) {
    this.#outer = outer;
    outer.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = this.#limit(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get lost(): boolean {
    return this.#lost;
  }

  renew(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#limit(ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
    // Closes the connection when the stream was left before its end.
    this.#controller.abort();
  }

  #limit(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#lost = true;
      this.#controller.abort();
    }, ms);
  }
}
