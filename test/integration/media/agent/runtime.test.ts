/** Whole conversations in real time on the embedded models; the caller is a synthesised voice. */
import type { AgentPersona } from '../../../../media/agent/agent-session';
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';
import { AgentRuntime } from '../../../../media/agent/runtime';
import { ChatCompletionsServer, failed, stop, streamed, text, toolCall } from '../../../fakes/chat-completions-server';
import { RecordingDelegate, TEST_PERSONA } from '../../../fakes/fake-speech';
import { LiveLine } from '../../../support/agent/live-line';
import { spokenBy } from '../../../support/agent/text-to-speech-contract';
import { wordErrorRate } from '../../../support/word-error-rate';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const HOURS = 'Our opening hours are nine to five on weekdays.';

async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a conversation on the embedded models', () => {
  let runtime: AgentRuntime;
  let server: ChatCompletionsServer;
  let caller: FliteTts;
  let nextMediaId = 1;

  beforeAll(async () => {
    server = new ChatCompletionsServer();
    caller = new FliteTts();
    const languageModel = { baseUrl: await server.start(), apiKey: 'sk-test', model: 'test-model' };
    runtime = new AgentRuntime({ languageModel, logger: SILENT });
    await Promise.all([runtime.start(), caller.start()]);
  }, 30_000);
  afterAll(() => Promise.all([runtime.close(), caller.close(), server.close()]));

  async function call(persona: Partial<AgentPersona>): Promise<{ line: LiveLine; delegate: RecordingDelegate }> {
    const line = new LiveLine(nextMediaId++, runtime.audioPort());
    const delegate = new RecordingDelegate();
    const session = runtime.createSession({ ...TEST_PERSONA, firstMessage: 'Hello!', ...persona }, line, delegate);
    line.session = session;
    await session.warm();
    line.start();
    session.start();
    return { line, delegate };
  }

  const says = async (line: LiveLine, sentence: string): Promise<void> =>
    line.say(await spokenBy(caller, sentence, 'rms'));

  test('names what it runs on', () => {
    expect(runtime.describe()).toEqual({
      vad: 'silero-v6',
      stt: 'moonshine-tiny',
      tts: 'flite',
      responder: 'openai-compatible (test-model), then built-in',
    });
    expect(runtime.voices().map((voice) => voice.id)).toContain('slt');
  });

  test('the language model is down: the question is answered from the instructions, a goodbye ends the call', async () => {
    server.answer = failed(503);
    const { line, delegate } = await call({ instructions: [HOURS] });
    await until(() => delegate.turns.length === 1, 5_000);
    await says(line, 'What are your opening hours?');
    await until(() => delegate.turns.length === 3, 10_000);
    expect(wordErrorRate('What are your opening hours?', delegate.turns[1]!.text)).toBeLessThanOrEqual(0.3);
    expect(delegate.turns[2]!.text).toBe(HOURS);
    // Silence that ends a turn, recognition in its shadow, the first sentence: 0.6 s on an idle machine.
    expect(delegate.latencies[0]).toBeLessThan(3_000);
    await says(line, 'Goodbye.');
    await until(() => delegate.ends.length === 1, 10_000);
    expect(delegate.ends).toEqual(['agent_goodbye']);
    expect(delegate.turns.at(-1)!.text).toContain('Goodbye');
    await line.session!.finish();
    line.close();
  }, 40_000);

  test('the caller cuts in: the agent stops, and only what was heard is in the transcript', async () => {
    const long =
      'We have a great many things to tell you about our company, its long history, and all of its many products.';
    server.answer = streamed([
      text('All right, '),
      text('I stop. '),
      ...toolCall('end_call'),
      stop('tool_calls'),
      '[DONE]',
    ]);
    const { line, delegate } = await call({ firstMessage: long });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const framesBefore = line.heard.length;
    await says(line, 'Wait a moment, please.');
    // 0.35 s on an idle machine.
    expect(line.heard.length - framesBefore).toBeLessThan(1_000 / 20);
    await until(() => delegate.ends.length === 1, 10_000);
    const [agent, said, answer] = delegate.turns;
    expect(long.startsWith(agent!.text)).toBe(true);
    expect(agent!.text.length).toBeLessThan(long.length);
    expect(agent!.interruptedAtMs).not.toBeNull();
    expect(said!.speaker).toBe('caller');
    expect(answer!.text).toBe('All right, I stop.');
    expect(server.asked.at(-1)!.body.messages.at(1)).toEqual({ role: 'assistant', content: agent!.text });
    line.session!.close();
    line.close();
  }, 30_000);
});
