/**
 * Stand-in for an OpenAI-compatible API: answers `POST /v1/chat/completions` with a streamed completion written byte by
 * byte as the test says, and remembers what it was asked. The shapes are those of the public API reference.
 */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model: string;
    readonly stream: boolean;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly tools: readonly { readonly function: { readonly name: string } }[];
  };
}

export type Answer = (response: ServerResponse) => void | Promise<void>;

export class ChatCompletionsServer {
  readonly asked: Asked[] = [];
  /** Connections that the client closed before the answer was complete. */
  abandoned = 0;
  answer: Answer = streamed([text('Hello.'), stop(), '[DONE]']);
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      response.on('close', () => {
        if (!response.writableFinished) this.abandoned++;
      });
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString()) as Asked['body'];
        this.asked.push({ url: request.url ?? '', headers: request.headers, body });
        void this.answer(response);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function chunk(delta: Readonly<Record<string, unknown>>, finishReason: string | null = null): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'test-model',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
}

export function text(content: string): string {
  return chunk({ content });
}

export function stop(reason = 'stop'): string {
  return chunk({}, reason);
}

/** A tool call as it is streamed: name first, then the arguments in pieces. */
export function toolCall(name: string, pieces: readonly string[] = ['{', '}']): string[] {
  return [
    chunk({
      role: 'assistant',
      content: null,
      tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name, arguments: '' } }],
    }),
    ...pieces.map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
  ];
}

export interface StreamOptions {
  /** Bytes per write; default everything at once. */
  readonly portionBytes?: number;
  /** Pause between two writes. */
  readonly pauseMs?: number;
  /** Cuts the connection instead of ending the answer. */
  readonly cut?: boolean;
  readonly lineEnd?: string;
}

export function streamed(data: readonly string[], options: StreamOptions = {}): Answer {
  const eol = options.lineEnd ?? '\n';
  const bytes = Buffer.from(data.map((item) => `data: ${item}${eol}${eol}`).join(''));
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const portion = options.portionBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += portion) {
      if (response.destroyed) return;
      response.write(bytes.subarray(at, at + portion));
      if (options.pauseMs === undefined) await new Promise((resolve) => setImmediate(resolve));
      else await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
    }
    if (options.cut) response.destroy();
    else response.end();
  };
}

export function failed(status: number, body = '{"error":{"message":"no"}}'): Answer {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
