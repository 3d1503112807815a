import { FakeConversation } from '../../../fakes/fake-conversation';
import { settle } from '../../../fakes/fake-clock';

const DISCLOSURE = 'This is an automated call with an AI assistant.';
const GREETING = 'Hello. How can I help you today?';

async function conversation(...args: ConstructorParameters<typeof FakeConversation>): Promise<FakeConversation> {
  const made = new FakeConversation(...args);
  await made.answered();
  return made;
}

const saidBy = (talk: FakeConversation, who: 'agent' | 'caller'): string[] =>
  talk.delegate.turns.filter(({ speaker }) => speaker === who).map(({ text }) => text);

describe('a disclosure', () => {
  test('is prepared before the answer and said before the first message, with no pause between', async () => {
    const talk = new FakeConversation({ disclosure: DISCLOSURE });
    await talk.session.warm();
    await settle();
    talk.session.start();
    expect(talk.audio.playing).toBe(true);
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent')).toEqual([DISCLOSURE, GREETING]);
    const [first, second] = talk.delegate.turns;
    expect(second!.startMs - first!.endMs).toBeLessThanOrEqual(40);
  });

  test('is heard to its end whatever is said over it; the first message answers that', async () => {
    const talk = await conversation({ disclosure: DISCLOSURE });
    await talk.say('Hello?', 500);
    expect(talk.audio.gains).toEqual([]);
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent')).toEqual([DISCLOSURE, GREETING]);
    expect(talk.delegate.turns.every(({ interruptedAtMs }) => interruptedAtMs === null)).toBe(true);
    expect(talk.responder.asked).toEqual([]);
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(talk.responder.asked.at(-1)?.map(({ content }) => content)).toContain('Hello?');
  });

  test('that ends while somebody speaks: the first message waits for them', async () => {
    const talk = await conversation({ disclosure: 'An AI calls.' });
    await talk.speak(1_200, 'Hello, who is this?');
    expect([saidBy(talk, 'agent'), talk.audio.playing]).toEqual([['An AI calls.'], false]);
    await talk.pause(850, 1_200);
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent')).toEqual(['An AI calls.', GREETING]);
  });

  test('that ends in a noise: the first message follows on what nobody understands', async () => {
    const talk = await conversation({ disclosure: 'An AI calls.' });
    await talk.speak(1_200, '');
    await talk.pause(850, 1_200);
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent')).toEqual(['An AI calls.', GREETING]);
  });

  test('alone, where there is no first message', async () => {
    const talk = await conversation({ disclosure: DISCLOSURE, firstMessage: '' });
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent')).toEqual([DISCLOSURE]);
    await talk.say('Yes?');
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent')).toEqual([DISCLOSURE, 'All right.']);
  });

  test('over which somebody opts out is cut off', async () => {
    const talk = await conversation({ disclosure: `${DISCLOSURE} ${DISCLOSURE}`, mayOptOut: true });
    await talk.say('Stop calling me.', 500);
    await talk.untilSpoken();
    expect(saidBy(talk, 'agent').at(-1)).toBe('You will not be called again. Goodbye.');
    expect(saidBy(talk, 'agent')).not.toContain(GREETING);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
  });
});

describe('the silence before the agent is heard', () => {
  test('is none where it speaks at the answer', async () => {
    const talk = await conversation();
    expect(talk.delegate.openingSilences).toEqual([0]);
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(talk.delegate.openingSilences).toHaveLength(1);
  });

  test('is counted from the end of the greeting where it waits for one', async () => {
    const talk = await conversation({ firstMessage: '' });
    await talk.say('Hello?', 600);
    await talk.untilSpoken();
    const [caller, agent] = talk.delegate.turns;
    expect(talk.delegate.openingSilences).toEqual([agent!.startMs - caller!.endMs]);
    expect(talk.delegate.openingSilences[0]).toBeGreaterThan(400);
  });

  test('is what went before the greeting where that is longer', async () => {
    const talk = await conversation({ firstMessage: '' });
    await talk.wait(3_000);
    await talk.say('Hello?', 600);
    await talk.untilSpoken();
    const [caller] = talk.delegate.turns;
    expect(talk.delegate.openingSilences).toEqual([caller!.startMs]);
  });

  test('lasts to the end of a call in which the agent is never heard', async () => {
    const talk = await conversation({ firstMessage: '' });
    await talk.wait(4_000);
    await talk.session.finish();
    expect(talk.delegate.openingSilences).toEqual([4_000]);
  });

  test('lasts to the end after a greeting that nobody answers', async () => {
    const talk = await conversation({ firstMessage: '' });
    talk.responder.silent = true;
    await talk.say('Hello?', 600);
    await talk.wait(200);
    await talk.session.finish();
    const [caller] = talk.delegate.turns;
    const [silence = 0] = talk.delegate.openingSilences;
    expect(caller!.endMs + silence).toBeGreaterThanOrEqual(1_600);
    expect(silence).toBeLessThan(1_300);
  });
});
