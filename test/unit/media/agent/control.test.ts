/** What the agent is told from outside the conversation. */
import type { CommandOutcome } from '../../../../contract/commands';
import { FakeConversation } from '../../../fakes/fake-conversation';

const GREETING = 'Hello. How can I help you today?';
const NEWS = 'Your order has left our house.';

async function conversation(): Promise<FakeConversation> {
  const talk = new FakeConversation();
  await talk.answered();
  return talk;
}

const texts = (talk: FakeConversation): string[] => talk.delegate.turns.map((turn) => turn.text);

function say(
  talk: FakeConversation,
  text: string,
  interrupt = false,
): { outcomes: CommandOutcome[]; refusal: unknown } {
  const outcomes: CommandOutcome[] = [];
  const refusal = talk.session.say(text, { interrupt, onOutcome: (outcome) => outcomes.push(outcome) });
  return { outcomes, refusal };
}

describe('what the agent is given to say', () => {
  test('is said after what it is saying, and counts once it sounds', async () => {
    const talk = await conversation();
    await talk.wait(500);
    const { outcomes, refusal } = say(talk, NEWS);
    expect(refusal).toBeNull();
    await talk.wait(100);
    expect(outcomes).toEqual([]);
    await talk.untilSpoken();
    await talk.untilSpoken();
    expect(outcomes).toEqual(['done']);
    expect(texts(talk)).toEqual([GREETING, NEWS]);
  });

  test('cuts it off where it is urgent', async () => {
    const talk = await conversation();
    await talk.wait(500);
    const { outcomes } = say(talk, NEWS, true);
    await talk.wait(100);
    expect(outcomes).toEqual(['done']);
    await talk.untilSpoken();
    expect(texts(talk)[0]).not.toBe(GREETING);
    expect(texts(talk).at(-1)).toBe(NEWS);
  });

  test('waits until the caller has finished, and the answer to the caller follows', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.speak(600);
    const { outcomes } = say(talk, NEWS);
    expect(outcomes).toEqual([]);
    await talk.say('When do you open?');
    await talk.untilSpoken();
    await talk.untilSpoken();
    expect(outcomes).toEqual(['done']);
    expect(texts(talk)).toEqual([GREETING, 'When do you open?', NEWS, 'All right.']);
  });

  test('is refused beyond ten that wait', async () => {
    const talk = await conversation();
    const answers = Array.from({ length: 12 }, () => say(talk, NEWS).refusal);
    expect(answers).toEqual([...Array<null>(10).fill(null), 'too_many', 'too_many']);
  });
});

describe('a muted agent', () => {
  test('stops in the middle of its sentence, says nothing, and answers afterwards what was asked', async () => {
    const talk = await conversation();
    await talk.wait(500);
    talk.session.mute(true);
    await talk.wait(200);
    expect(talk.audio.playing).toBe(false);
    expect(say(talk, NEWS).refusal).toBe('muted');
    await talk.say('When do you open?');
    await talk.wait(60_000);
    expect(talk.audio.playing).toBe(false);
    expect(talk.responder.asked).toEqual([]);
    talk.session.mute(false);
    await talk.untilSpoken();
    expect(texts(talk).slice(-2)).toEqual(['When do you open?', 'All right.']);
  });

  test('does not count the silence', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.session.mute(true);
    await talk.wait(120_000);
    expect(texts(talk)).toEqual([GREETING]);
    talk.session.mute(false);
    await talk.wait(15_000);
    expect(texts(talk).length).toBeGreaterThan(1);
  });

  test('drops what it had still to say', async () => {
    const talk = await conversation();
    await talk.wait(500);
    const { outcomes } = say(talk, NEWS);
    await talk.wait(20);
    talk.session.mute(true);
    await talk.wait(200);
    expect(outcomes).toEqual(['superseded']);
  });
});

test('what it is told is among its instructions from then on', async () => {
  const talk = await conversation();
  await talk.untilSpoken();
  expect(talk.session.instruct('The shop is closed today.')).toBe(true);
  await talk.say('When do you open?');
  expect(talk.responder.personas.at(-1)?.instructions).toContain('The shop is closed today.');
});

test('it takes twenty things in one call', async () => {
  const talk = await conversation();
  const taken = Array.from({ length: 21 }, (_, n) => talk.session.instruct(`fact ${n}`));
  expect(taken.filter(Boolean)).toHaveLength(20);
});
