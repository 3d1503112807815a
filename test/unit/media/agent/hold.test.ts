import { FakeConversation } from '../../../fakes/fake-conversation';

const GREETING = 'Hello. How can I help you today?';
const STILL_THERE = 'Hello? Are you still there?';

async function conversation(silenceTimeoutMs = 5_000): Promise<FakeConversation> {
  const talk = new FakeConversation({ silenceTimeoutMs });
  await talk.answered();
  return talk;
}

const texts = (talk: FakeConversation): string[] => talk.delegate.turns.map((turn) => turn.text);

describe('while the peer has the call on hold', () => {
  test('its music is not heard and silence is not counted', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.wait(4_000);
    await talk.hold(true);
    await talk.say('Oh baby baby', 3_000);
    await talk.wait(120_000);
    expect(talk.stt.asked).toBe(0);
    expect(texts(talk)).toEqual([GREETING]);
    expect(talk.clock.armed).toBe(0);
  });

  test('the caller is heard again after it, and silence is counted anew', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.hold(true);
    await talk.wait(60_000);
    await talk.hold(false);
    await talk.wait(4_000);
    expect(texts(talk)).toEqual([GREETING]);
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(texts(talk)).toEqual([GREETING, 'When do you open?', 'All right.']);
    await talk.wait(7_000);
    expect(texts(talk).at(-1)).toBe(STILL_THERE);
  });

  test('what the agent was saying waits and is said to its end', async () => {
    const talk = await conversation();
    await talk.wait(500);
    await talk.hold(true);
    await talk.speak(2_000);
    await talk.wait(30_000);
    expect(talk.audio.playing).toBe(true);
    expect(talk.audio.cleared).toBe(0);
    await talk.hold(false);
    await talk.untilSpoken();
    expect(talk.delegate.turns).toMatchObject([{ text: GREETING, interruptedAtMs: null }]);
  });

  test('words that were under way are answered when it is over', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.speak(900, 'Please wait a moment.');
    await talk.hold(true);
    await talk.wait(20_000);
    expect(texts(talk)).toEqual([GREETING, 'Please wait a moment.']);
    await talk.hold(false);
    await talk.untilSpoken();
    expect(texts(talk).at(-1)).toBe('All right.');
  });

  test('a caller who says nothing after it is asked, also when a sound was cut off by it', async () => {
    const quiet = await conversation();
    await quiet.untilSpoken();
    await quiet.hold(true);
    await quiet.hold(false);
    const coughed = await conversation();
    await coughed.untilSpoken();
    await coughed.speak(100);
    coughed.stt.failing = true;
    await coughed.hold(true);
    await coughed.hold(false);
    for (const talk of [quiet, coughed]) {
      await talk.wait(4_900);
      expect(texts(talk)).toEqual([GREETING]);
      await talk.wait(2_000);
      expect(texts(talk)).toEqual([GREETING, STILL_THERE]);
    }
  });

  test('silence is not counted while the agent speaks after it', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    const long = `We are open ${'every day '.repeat(12)}.`;
    talk.responder.answer = [{ type: 'text', delta: long }];
    await talk.speak(900, 'When do you open?');
    await talk.hold(true);
    await talk.hold(false);
    await talk.untilSpoken();
    expect(texts(talk)).toEqual([GREETING, 'When do you open?', long]);
  });

  test('the agent, lowered for a caller who began to speak, is at its full voice afterwards', async () => {
    const talk = await conversation();
    await talk.wait(500);
    await talk.speak(100);
    expect(talk.audio.gains).toEqual([0.3]);
    talk.stt.failing = true;
    await talk.hold(true);
    expect(talk.audio.gains).toEqual([0.3, 1]);
  });

  test('a call that begins on hold is greeted when it is resumed', async () => {
    const talk = new FakeConversation({ silenceTimeoutMs: 5_000 });
    await talk.session.warm();
    await talk.hold(true);
    await talk.answered();
    await talk.wait(60_000);
    expect([talk.ears.opened, talk.delegate.turns.length]).toEqual([0, 0]);
    await talk.hold(false);
    await talk.untilSpoken();
    expect(texts(talk)).toEqual([GREETING]);
    await talk.say('Hello.');
    expect(texts(talk).at(-1)).toBe('Hello.');
  });

  test('a farewell that was over waits for no sound of the held line', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.answer = [{ type: 'text', delta: 'Goodbye then.' }, { type: 'end_call' }];
    await talk.say('Bye.');
    while (!talk.audio.playing) await talk.wait(20);
    while (talk.audio.playing) {
      await talk.wait(20);
      talk.ears.emit({ type: 'speech_start', mediaId: 7, atSample: 0, speechMs: 64 });
    }
    expect(talk.delegate.ends).toEqual([]);
    talk.stt.failing = true;
    await talk.hold(true);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
  });

  test('the end of the call leaves nothing behind', async () => {
    const talk = await conversation();
    await talk.hold(true);
    const finished = talk.session.finish(200);
    await talk.wait(200);
    await finished;
    await talk.hold(false);
    expect([talk.ears.opened, talk.clock.armed]).toEqual([1, 0]);
  });
});
