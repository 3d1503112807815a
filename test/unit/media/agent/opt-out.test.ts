import { FakeConversation } from '../../../fakes/fake-conversation';
import { settle } from '../../../fakes/fake-clock';

const CONFIRMED = 'You will not be called again. Goodbye.';
const NOTED = 'I have noted that you do not want to be called again. Goodbye.';

async function campaignCall(
  persona: ConstructorParameters<typeof FakeConversation>[0] = {},
): Promise<FakeConversation> {
  const talk = new FakeConversation({ mayOptOut: true, ...persona });
  await talk.answered();
  await talk.untilSpoken();
  return talk;
}

const saidByAgent = (talk: FakeConversation): string[] =>
  talk.delegate.turns.filter(({ speaker }) => speaker === 'agent').map(({ text }) => text);

describe('who is called by a campaign and opts out', () => {
  test('by a word: it is written down first, then said, and the call ends', async () => {
    const talk = await campaignCall();
    let written = (_stored: boolean): void => undefined;
    talk.delegate.optOutStored = new Promise((resolve) => (written = resolve));
    await talk.say('Please stop calling me.');
    await talk.wait(1_000);
    expect([talk.delegate.optOuts, talk.audio.playing, talk.delegate.ends]).toEqual([['word'], false, []]);
    written(true);
    await settle();
    expect(talk.audio.playing).toBe(true);
    await talk.untilSpoken();
    expect(saidByAgent(talk).at(-1)).toBe(CONFIRMED);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
    expect(talk.responder.asked).toEqual([]);
  });

  test('by the key, pressed alone', async () => {
    const talk = await campaignCall({ destinations: [{ id: 'd', name: 'Sales', keypad: '9' }] });
    talk.session.onDtmf('9');
    await talk.wait(1_900);
    expect(talk.delegate.optOuts).toEqual([]);
    await talk.wait(200);
    await talk.untilSpoken();
    expect([talk.delegate.optOuts, talk.delegate.wishes]).toEqual([['key'], []]);
    expect(saidByAgent(talk).at(-1)).toBe(CONFIRMED);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
  });

  test('not by a number that has the key in it', async () => {
    const talk = await campaignCall();
    for (const digit of '1909#') talk.session.onDtmf(digit);
    await talk.untilSpoken();
    expect([talk.delegate.optOuts, talk.delegate.ends]).toEqual([[], []]);
    expect(talk.responder.asked.at(-1)?.at(-1)?.content).toBe('[pressed 1 9 0 9 #]');
  });

  test('by what the language model understands: its own words are cut off', async () => {
    const talk = await campaignCall();
    talk.responder.answer = [{ type: 'text', delta: 'I see. ' }, { type: 'opt_out' }, { type: 'text', delta: 'Bye.' }];
    await talk.say('My husband has died, this must end.');
    await talk.untilSpoken();
    expect([talk.delegate.optOuts, talk.delegate.ends]).toEqual([['agent'], ['agent_goodbye']]);
    expect(saidByAgent(talk).at(-1)).toBe(CONFIRMED);
    expect(saidByAgent(talk).join(' ')).not.toContain('Bye.');
  });

  test('is told that it is noted while it cannot be stored', async () => {
    const talk = await campaignCall();
    talk.delegate.optOutStored = Promise.resolve(false);
    await talk.say('Take me off your list.');
    await talk.untilSpoken();
    expect(saidByAgent(talk).at(-1)).toBe(NOTED);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
  });

  test('is not talked back into the call by what is said over the last words', async () => {
    const talk = await campaignCall();
    await talk.say('Stop calling me.');
    expect(talk.audio.playing).toBe(true);
    await talk.say('And thank you.');
    talk.session.onDtmf('1');
    await talk.untilSpoken();
    expect([talk.delegate.ends, talk.responder.asked]).toEqual([['agent_goodbye'], []]);
    expect(saidByAgent(talk).at(-1)).toBe(CONFIRMED);
  });

  test('while the agent speaks, also where it may not be interrupted', async () => {
    const talk = new FakeConversation({ mayOptOut: true, interruptible: false });
    await talk.answered();
    await talk.say('Stop calling me.', 400);
    await talk.untilSpoken();
    expect([talk.delegate.optOuts, talk.delegate.ends]).toEqual([['word'], ['agent_goodbye']]);
  });

  test('and hangs up at once: what was said last still counts, and a key that waits for others', async () => {
    const talk = await campaignCall();
    await talk.speak(800, 'Stop calling me.');
    await talk.session.finish();
    expect(talk.delegate.optOuts).toEqual(['word']);
    const other = await campaignCall();
    other.session.onDtmf('9');
    await other.session.finish();
    expect(other.delegate.optOuts).toEqual(['key']);
  });

  test.each([
    ['a muted agent ends the call without a word', (talk: FakeConversation) => talk.session.mute(true), []],
    ['a voice that fails', (talk: FakeConversation) => (talk.tts.failing = true), []],
  ])('%s', async (_, spoil, said) => {
    const talk = await campaignCall();
    spoil(talk);
    await talk.say('Stop calling me.');
    await talk.untilSpoken();
    expect(talk.delegate.optOuts).toEqual(['word']);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
    expect(saidByAgent(talk).slice(1)).toEqual(said);
  });

  test('a supervisor who mutes the agent over its last words does not keep the call', async () => {
    const talk = await campaignCall();
    await talk.say('Stop calling me.');
    talk.session.mute(true);
    await settle();
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
    expect(talk.session.say('Wait', { interrupt: true, onOutcome: () => undefined })).toBe('ended');
  });
});

test('in any other call the words, the key and the tool are words, a key and nothing', async () => {
  const talk = new FakeConversation();
  await talk.answered();
  await talk.untilSpoken();
  talk.responder.answer = [{ type: 'opt_out' }, { type: 'text', delta: 'All right.' }];
  await talk.say('Stop calling me.');
  await talk.untilSpoken();
  talk.session.onDtmf('9');
  await talk.wait(2_100);
  await talk.untilSpoken();
  expect([talk.delegate.optOuts, talk.delegate.ends]).toEqual([[], []]);
  expect(talk.responder.asked).toHaveLength(2);
});
