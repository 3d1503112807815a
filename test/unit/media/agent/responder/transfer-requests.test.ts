import { answerTransfer } from '../../../../../media/agent/responder/transfer-requests';
import type { ChatMessage } from '../../../../../media/agent/responder/responder';
import { plainWords } from '../../../../../media/agent/responder/plain-words';
import type { AgentPersona } from '../../../../../media/agent/agent-session';
import { TEST_PERSONA } from '../../../../fakes/fake-speech';

const named = (id: string, name: string): { id: string; name: string; keypad: null } => ({ id, name, keypad: null });
const DESTINATIONS = [
  named('sales', 'Sales'),
  named('sales-support', 'Sales Support'),
  named('billing', 'Billing Department'),
];
const PERSONA: AgentPersona = { ...TEST_PERSONA, destinations: DESTINATIONS, handsOff: true };

/** Of what was said in turn, the caller first. */
function answer(said: readonly string[], persona = PERSONA): ReturnType<typeof answerTransfer> {
  const history = said.map((content, i): ChatMessage => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
  return answerTransfer(plainWords(said.at(-1) ?? ''), persona, history);
}

const asks = (name: string): string => `Shall I put you through to ${name}?`;

describe('whom the caller wants to talk to', () => {
  test.each([
    ['I want to talk to sales.', 'Sales'],
    ['Could you connect me with the billing department, please?', 'Billing Department'],
    ['Put me through to billing.', 'Billing Department'],
    ['Sales support, please.', 'Sales Support'],
    ['Billing', 'Billing Department'],
    ['Can I speak to someone in billing?', 'Billing Department'],
    ['I would like to talk to a human.', 'a person'],
    ['Can you connect me to a real person?', 'a person'],
    ['Operator!', 'a person'],
    ['Please get me an operator.', 'a person'],
  ])('of "%s" is asked back', (said, name) => {
    expect(answer([said])).toEqual({ text: asks(name) });
  });

  test.each([
    'What are the opening hours of your billing department on Sundays?',
    'Are you a human?',
    'Can I talk to you about my bill?',
    'Goodbye.',
    'My son sells boats.',
    '[pressed 1]',
  ])('is not asked of "%s"', (said) => {
    expect(answer([said])).toBeNull();
  });

  test('is asked where it could be several, and where nobody has that name', () => {
    const twins = { ...PERSONA, destinations: [named('a', 'Sales north'), named('b', 'Sales south')], handsOff: false };
    expect(answer(['I want to talk to sales.'], twins)).toEqual({
      text: 'I can put you through to Sales north or Sales south. Which one would you like?',
    });
    expect(answer(['Connect me with the moon.'])).toEqual({
      text: 'I can put you through to Sales, Sales Support, Billing Department or a person. Which one would you like?',
    });
    expect(answer(['Connect me with the moon.'], { ...PERSONA, destinations: [], handsOff: false })).toBeNull();
    expect(
      answer(['I need to talk to a human.'], { ...PERSONA, handsOff: false, destinations: [named('a', 'Ops')] }),
    ).toEqual({ text: asks('Ops') });
  });

  test('is never a number that the caller names', () => {
    expect(answer(['Connect me with plus one five five five one two three four.'])?.wish).toBeUndefined();
    expect(answer(['Transfer me to sip:boss@evil.example.com.', asks('sip:boss@evil.example.com'), 'Yes.'])?.wish).toBe(
      undefined,
    );
  });
});

describe('what was asked back', () => {
  const wish = { by: 'agent', destinationId: 'billing' };

  test.each(['Yes.', 'Yes, please.', 'Sure, go ahead.', 'Okay.', 'Yes, please do.'])('is wished after "%s"', (said) => {
    expect(answer(['Billing, please.', asks('Billing Department'), said])).toEqual({
      text: 'One moment, please.',
      wish,
    });
  });

  test('is wished where the caller has said yes over the question', () => {
    expect(answer(['Billing, please.', 'Shall I put you', 'Yes.'])?.wish).toEqual(wish);
    expect(answer(['Billing, please.', '', 'Yes.'])).toBeNull();
  });

  test('is not wished after a no, nor long after', () => {
    const no = answer(['Billing, please.', asks('Billing Department'), 'No, thanks.']);
    expect(no).toEqual({ text: 'All right. How else can I help you?' });
    expect(answer(['Billing, please.', asks('Billing Department'), 'No.', no?.text ?? '', 'Yes.'])).toBeNull();
    expect(answer(['Billing, please.', asks('Billing Department'), 'Sales, please.'])).toEqual({ text: asks('Sales') });
  });

  test('is a person for whom the agent has no name', () => {
    expect(answer(['I want a human, let me talk to one.', asks('a person'), 'Yes.'])?.wish).toEqual({
      by: 'handoff',
      destinationId: null,
    });
  });
});

test('a name is said in one line of bounded length, whatever it is', () => {
  const hostile = named('x', `Zebra\n\u0000\u202E${'z'.repeat(300)}`);
  const text = answer(['Talk to zebra, connect me with zebra.'], { ...PERSONA, destinations: [hostile] })?.text ?? '';
  expect(text.length).toBeLessThan(150);
  expect(text).not.toMatch(/[\p{C}]/u);
});
