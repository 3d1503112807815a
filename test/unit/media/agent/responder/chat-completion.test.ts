import fc from 'fast-check';
import { chatRequest, parseChunk } from '../../../../../media/agent/responder/chat-completion';
import { stop, text, toolCall } from '../../../../fakes/chat-completions-server';
import { TEST_PERSONA } from '../../../../fakes/fake-speech';

describe('a chunk of a chat completion', () => {
  test('gives its text, its end and the first mention of the end_call tool', () => {
    expect(parseChunk(text('Hi'))).toEqual({ events: [{ type: 'text', delta: 'Hi' }], calls: [], finished: false });
    expect(parseChunk(stop())).toEqual({ events: [], calls: [], finished: true });
    const events = toolCall('end_call').flatMap((data) => parseChunk(data).events);
    expect(events).toEqual([{ type: 'end_call' }]);
    expect(toolCall('opt_out').flatMap((data) => parseChunk(data).events)).toEqual([{ type: 'opt_out' }]);
  });

  test.each([
    ['a tool we do not have', toolCall('delete_everything')[0]!],
    ['the usage at the end', '{"choices":[],"usage":{"total_tokens":5}}'],
    ['an empty delta', '{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}'],
    ['a null error', '{"error":null,"choices":[]}'],
  ])('says nothing for %s', (_what, data) => {
    expect(parseChunk(data)).toMatchObject({ events: [], finished: false });
  });

  test.each(['', 'no json', '[]', '{"choices":"x"}', '{"error":{"message":"overloaded"}}', 'null'])(
    'that is %j is a TypeError',
    (data) => {
      expect(() => parseChunk(data)).toThrow(TypeError);
    },
  );

  test('of any JSON is content or a TypeError', () => {
    fc.assert(
      fc.property(fc.json(), (data) => {
        try {
          expect(parseChunk(data).events.length).toBeLessThanOrEqual(3);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});

test('the tool to opt out is there in the calls of campaigns alone', () => {
  const toolsOf = (mayOptOut?: boolean): readonly string[] => {
    const persona = { ...TEST_PERSONA, ...(mayOptOut === undefined ? {} : { mayOptOut }) };
    const { tools } = chatRequest('m', persona, []) as { tools: { function: { name: string } }[] };
    return tools.map((tool) => tool.function.name);
  };
  expect([toolsOf(), toolsOf(false), toolsOf(true)]).toEqual([['end_call'], ['end_call'], ['end_call', 'opt_out']]);
});

test('the request streams, names the tool, and puts the instructions before the conversation', () => {
  const request = chatRequest('m', TEST_PERSONA, [{ role: 'user', content: 'Hello' }]) as {
    messages: { role: string; content: string }[];
  };
  expect(request).toMatchObject({ model: 'm', stream: true, tools: [{ function: { name: 'end_call' } }] });
  expect(request.messages[0]!.role).toBe('system');
  expect(request.messages[0]!.content).toContain('nine to five');
  expect(request.messages[1]).toEqual({ role: 'user', content: 'Hello' });
});
