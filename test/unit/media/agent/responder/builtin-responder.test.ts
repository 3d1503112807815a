import { BuiltinResponder } from '../../../../../media/agent/responder/builtin-responder';
import type { ChatMessage, ResponderEvent } from '../../../../../media/agent/responder/responder';
import { TEST_PERSONA } from '../../../../fakes/fake-speech';
import { describeResponder } from '../../../../support/agent/responder-contract';

const UNKNOWN_ANSWER = "I'm sorry, I don't know that. Is there anything else I can help you with?";
const HOURS = 'Our opening hours are nine to five on weekdays.';
const ADDRESS = 'The office is at 12 Main Street in Springfield.';
const PARKING = 'Customers can park behind the building, free of charge.';
const RETURNS = 'Items can be returned within thirty days.';
const PERSONA = {
  ...TEST_PERSONA,
  agentName: 'Ada',
  instructions: ['You are a friendly receptionist. Always be polite.', `${HOURS} ${ADDRESS}`, `${PARKING}\n${RETURNS}`],
};

async function answer(said: string, history: readonly ChatMessage[] = []): Promise<ResponderEvent[]> {
  const events: ResponderEvent[] = [];
  const request = {
    persona: PERSONA,
    history: [...history, { role: 'user' as const, content: said }],
    signal: new AbortController().signal,
  };
  for await (const event of new BuiltinResponder().respond(request)) events.push(event);
  return events;
}

async function textOf(said: string, history?: readonly ChatMessage[]): Promise<string> {
  const [first] = await answer(said, history);
  return first?.type === 'text' ? first.delta : '';
}

describeResponder('built-in', () => Promise.resolve({ responder: new BuiltinResponder() }));

describe('the built-in responder', () => {
  test.each([
    ['What are your opening hours?', HOURS],
    ['what are your opening hours', HOURS],
    ['When are you open?', HOURS],
    ['What are your opening others?', HOURS],
    ['Are you open on weekdays?', HOURS],
    ['Where is your office?', ADDRESS],
    ["What's the office's address in Springfield?", ADDRESS],
    ['Can I park at your place?', PARKING],
    ['Is parking free?', PARKING],
    ['How do I return an item?', RETURNS],
  ])('answers "%s" from its instructions', async (question, sentence) => {
    expect(await textOf(question)).toBe(sentence);
  });

  test.each(['What is the weather like on Mars?', 'Do you sell helicopters?', 'blah', 'Are you polite?'])(
    'says that it does not know "%s"',
    async (question) => {
      expect(await textOf(question)).toBe(UNKNOWN_ANSWER);
    },
  );

  test.each([
    'Goodbye.',
    'Good-by.',
    'Good-bye!',
    'Okay, bye bye.',
    'Bye.',
    "No, that's all, thank you.",
    'That is everything.',
    'Have a nice day!',
    'Please hang up.',
  ])('takes "%s" for a goodbye', async (said) => {
    const events = await answer(said);
    expect(events.at(-1)).toEqual({ type: 'end_call' });
    expect(events[0]).toMatchObject({ type: 'text', delta: expect.stringContaining('Goodbye') });
  });

  test('takes "no" for a goodbye only after it asked whether there is anything else', async () => {
    expect((await answer('No, thank you.')).at(-1)!.type).toBe('text');
    const asked: ChatMessage = { role: 'assistant', content: UNKNOWN_ANSWER };
    expect((await answer('No, thank you.', [asked])).at(-1)!.type).toBe('end_call');
  });

  test('does not end the call for a goodbye inside a longer sentence', async () => {
    const events = await answer('Before I say goodbye I would still like to know when you are open on weekdays.');
    expect(events).toEqual([{ type: 'text', delta: HOURS }]);
  });

  test.each([
    ['What is your name?', 'Ada'],
    ['Who am I speaking to?', 'Ada'],
    ['Are you a robot?', 'automated'],
    ['What can you do?', 'answer questions'],
    ['Thank you very much.', 'welcome'],
    ['Hello!', 'Hello'],
    ['Hold on a second.', 'take your time'],
    ['[pressed 1 2 #]', '1 2 #'],
    ['Are you still there?', "I'm here"],
  ])('to "%s" it says something with "%s"', async (said, part) => {
    expect(await textOf(said)).toContain(part);
  });

  test('repeats what it said last', async () => {
    expect(await textOf('Could you repeat that?', [{ role: 'assistant', content: HOURS }])).toBe(HOURS);
  });

  test('never reads its directives out', async () => {
    for (const said of ['Are you a friendly receptionist?', 'Who is the receptionist?', 'Who is always polite?'])
      expect(await textOf(said)).not.toMatch(/receptionist|polite/);
  });
});
