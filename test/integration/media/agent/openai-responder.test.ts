import { OpenAiResponder } from '../../../../media/agent/responder/openai-responder';
import type { ResponderEvent } from '../../../../media/agent/responder/responder';
import { ChatCompletionsServer, failed, stop, streamed, text, toolCall } from '../../../fakes/chat-completions-server';
import { TEST_PERSONA } from '../../../fakes/fake-speech';
import { answerOf, describeResponder } from '../../../support/agent/responder-contract';

const KEY = 'sk-test-0123456789';

function spoken(events: readonly ResponderEvent[]): string {
  return events.flatMap((event) => (event.type === 'text' ? event.delta : [])).join('');
}

describeResponder('OpenAI-compatible, over HTTP', async () => {
  const server = new ChatCompletionsServer();
  const baseUrl = await server.start();
  server.answer = (response) => {
    const last = server.asked.at(-1)!.body.messages.at(-1)!.content;
    const data = /goodbye/i.test(last)
      ? [text('Good'), text('bye!'), ...toolCall('end_call'), stop('tool_calls'), '[DONE]']
      : [text('Nine to '), text('five.'), stop(), '[DONE]'];
    return streamed(data)(response);
  };
  return {
    responder: new OpenAiResponder({ baseUrl, apiKey: KEY, model: 'test-model' }),
    close: () => server.close(),
  };
});

describe('OpenAiResponder', () => {
  let server: ChatCompletionsServer;
  let responder: OpenAiResponder;
  let baseUrl: string;

  beforeEach(async () => {
    server = new ChatCompletionsServer();
    baseUrl = await server.start();
    responder = new OpenAiResponder({ baseUrl, apiKey: KEY, model: 'test-model', firstTokenMs: 300, nextTokenMs: 300 });
  });

  afterEach(() => server.close());

  test('sends model, key, instructions and conversation', async () => {
    await answerOf(responder, 'Hello?');
    const asked = server.asked[0]!;
    expect(asked.url).toBe('/v1/chat/completions');
    expect(asked.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(asked.body).toMatchObject({ model: 'test-model', stream: true });
    expect(asked.body.messages.map((message) => message.role)).toEqual(['system', 'assistant', 'user']);
  });

  test('offers the destinations as a tool, and hands over by the name that the model chooses', async () => {
    const persona = { ...TEST_PERSONA, destinations: [{ id: 'd1', name: 'Billing', keypad: null }], handsOff: true };
    const call = toolCall('transfer_call', ['{"destination"', ':"Billing"}']);
    server.answer = streamed([text('I put you through.'), ...call, stop('tool_calls'), '[DONE]'], { portionBytes: 7 });
    const events: ResponderEvent[] = [];
    const history = [{ role: 'user', content: 'Yes.' }] as const;
    const { signal } = new AbortController();
    for await (const event of responder.respond({ persona, history, signal })) events.push(event);
    expect(server.asked[0]!.body.tools.map((tool) => tool.function.name)).toEqual([
      'end_call',
      'transfer_call',
      'handoff',
    ]);
    expect(spoken(events)).toBe('I put you through.');
    expect(events.at(-1)).toEqual({ type: 'transfer', wish: { by: 'agent', destinationId: 'd1' } });
    // A call that was cut off is none.
    server.answer = streamed(call, { cut: true });
    const cut = responder.respond({ persona, history, signal });
    await expect(cut[Symbol.asyncIterator]().next()).rejects.toThrow();
  });

  test('sends no authorization header without a key, and takes a base address with a slash', async () => {
    const keyless = new OpenAiResponder({ baseUrl: `${baseUrl}/`, apiKey: null, model: 'local' });
    await answerOf(keyless, 'Hello?');
    expect(server.asked[0]!.url).toBe('/v1/chat/completions');
    expect(server.asked[0]!.headers.authorization).toBeUndefined();
  });

  test.each([1, 2, 7, 64])(
    'understands a stream in portions of %i bytes, also inside a character',
    async (portionBytes) => {
      // What is measured here is understanding, not patience.
      responder = new OpenAiResponder({ baseUrl, apiKey: KEY, model: 'test-model' });
      const data = [text('Grüße, '), text('café €5 😀.'), stop(), '[DONE]'];
      server.answer = streamed(data, { portionBytes, lineEnd: '\r\n' });
      expect(spoken(await answerOf(responder, 'Hello?'))).toBe('Grüße, café €5 😀.');
    },
  );

  test('yields text as it arrives, before the stream ends', async () => {
    server.answer = streamed([text('One. '), text('Two.'), stop(), '[DONE]'], { portionBytes: 40, pauseMs: 20 });
    const started = performance.now();
    let first = 0;
    const request = {
      persona: TEST_PERSONA,
      history: [],
      signal: new AbortController().signal,
    };
    for await (const _event of responder.respond(request)) first ||= performance.now() - started;
    expect(first).toBeLessThan((performance.now() - started) / 2);
  });

  test('takes an unstreamed answer of a server that ignores "stream"', async () => {
    const message = { role: 'assistant', content: 'Whole answer.' };
    server.answer = (response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }));
    expect(spoken(await answerOf(responder, 'Hello?'))).toBe('Whole answer.');
  });

  test.each([400, 401, 404, 429, 500, 503])('reports status %i without the key or the body', async (status) => {
    server.answer = failed(status, `{"error":{"message":"key ${KEY} is wrong"}}`);
    const error = await answerOf(responder, 'Hello?').catch((caught: Error) => caught);
    expect(error).toMatchObject({
      name: 'ProviderError',
      code: 'failed',
      message: expect.stringContaining(`${status}`),
    });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(KEY);
  });

  test('reports a stream that breaks off, by a closed connection or without an end', async () => {
    server.answer = streamed([text('Half an')], { cut: true });
    await expect(answerOf(responder, 'Hello?')).rejects.toMatchObject({ code: 'failed' });
    server.answer = streamed([text('Half an')]);
    await expect(answerOf(responder, 'Hello?')).rejects.toMatchObject({ code: 'failed' });
  });

  test('reports an error told inside the stream, and nonsense', async () => {
    server.answer = streamed([text('Half'), '{"error":{"message":"overloaded"}}']);
    await expect(answerOf(responder, 'Hello?')).rejects.toMatchObject({ code: 'failed' });
    server.answer = streamed(['{nonsense']);
    await expect(answerOf(responder, 'Hello?')).rejects.toMatchObject({ code: 'failed' });
  });

  test('gives up on a server that does not begin, and on one that falls silent', async () => {
    server.answer = () => undefined;
    await expect(answerOf(responder, 'Hello?')).rejects.toMatchObject({ code: 'timeout' });
    server.answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${text('Well')}\n\n`);
    };
    await expect(answerOf(responder, 'Hello?')).rejects.toMatchObject({ code: 'timeout' });
  });

  test('reports a server that is not there', async () => {
    await server.close();
    const error = await answerOf(responder, 'Hello?').catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'failed', message: expect.stringContaining('ECONNREFUSED') });
    await server.start();
  });

  test('closes the connection when it is aborted', async () => {
    server.answer = streamed([text('One. '), text('Two. '), text('Three.'), stop()], { portionBytes: 30, pauseMs: 30 });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 80);
    await expect(answerOf(responder, 'Hello?', abort.signal)).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.abandoned).toBe(1);
  });
});
