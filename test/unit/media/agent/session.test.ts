import { FakeConversation } from '../../../fakes/fake-conversation';
import { settle } from '../../../fakes/fake-clock';

const GREETING = 'Hello. How can I help you today?';

async function conversation(...args: ConstructorParameters<typeof FakeConversation>): Promise<FakeConversation> {
  const made = new FakeConversation(...args);
  await made.answered();
  return made;
}

describe('the first message', () => {
  test('is synthesised before the answer and plays without another word from the voice', async () => {
    const talk = new FakeConversation();
    await talk.session.warm();
    expect(talk.audio.playing).toBe(false);
    talk.tts.asked.length = 0;
    talk.session.start();
    expect(talk.audio.playing).toBe(true);
    expect(talk.tts.asked).toEqual([]);
  });

  test('is reported with its times once it was heard', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    expect(talk.delegate.turns).toEqual([
      { speaker: 'agent', text: GREETING, startMs: 0, endMs: expect.any(Number), interruptedAtMs: null },
    ]);
    expect(talk.delegate.turns[0]!.endMs).toBeGreaterThan(1800);
    await talk.say('Hello.');
    expect(talk.delegate.turns.at(-1)).toMatchObject({ speaker: 'caller', text: 'Hello.' });
  });

  test('may be empty: the agent waits for the caller', async () => {
    const talk = await conversation({ firstMessage: '' });
    expect([talk.ears.opened, talk.audio.playing]).toEqual([1, false]);
    await talk.say('hello');
    await talk.untilSpoken();
    expect(talk.delegate.turns.map((turn) => turn.text)).toEqual(['hello', 'All right.']);
  });

  test('that cannot be synthesised makes warm() fail', async () => {
    const talk = new FakeConversation();
    talk.tts.failing = true;
    await expect(talk.session.warm()).rejects.toThrow('first message');
  });
});

describe('a turn of the caller', () => {
  test('is answered after the silence that ends it, with the conversation as context', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.say('When do you open?');
    expect(talk.responder.asked).toEqual([
      [
        { role: 'assistant', content: GREETING },
        { role: 'user', content: 'When do you open?' },
      ],
    ]);
    await talk.untilSpoken();
    expect(talk.delegate.turns.map((turn) => [turn.speaker, turn.text])).toEqual([
      ['agent', GREETING],
      ['caller', 'When do you open?'],
      ['agent', 'All right.'],
    ]);
    const [, caller, agent] = talk.delegate.turns;
    expect(caller!.endMs - caller!.startMs).toBeGreaterThanOrEqual(900);
    expect(agent!.startMs - caller!.endMs).toBe(talk.delegate.latencies[0]);
  });

  test.each([
    ['When do you open?', 500, 560],
    ['I would like to', 800, 860],
    ['tomorrow', 650, 710],
  ])('"%s" is answered %i to %i ms after its end', async (text, least, most) => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.say(text);
    await talk.untilSpoken();
    expect(talk.delegate.latencies[0]).toBeGreaterThanOrEqual(least);
    expect(talk.delegate.latencies[0]).toBeLessThanOrEqual(most);
  });

  test('is recognised during the pause, and again when the caller goes on', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.speak(600, 'I would like to');
    await talk.pause(400, 600);
    expect(talk.stt.asked).toBe(1);
    expect(talk.responder.asked).toHaveLength(0);
    await talk.say('I would like to book a table.');
    expect(talk.stt.asked).toBe(2);
    expect(talk.responder.asked).toHaveLength(1);
    expect(talk.delegate.turns.at(-1)).toMatchObject({ speaker: 'caller', text: 'I would like to book a table.' });
  });

  test('that goes on while the answer is prepared cancels the answer', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.silent = true;
    await talk.say('I want a table.');
    expect([talk.responder.asked.length, talk.responder.aborted, talk.audio.playing]).toEqual([1, 0, false]);
    talk.responder.silent = false;
    await talk.say('For two.');
    expect(talk.responder.aborted).toBeGreaterThan(0);
    expect(talk.responder.asked.at(-1)!.slice(1)).toEqual([
      { role: 'user', content: 'I want a table.' },
      { role: 'user', content: 'For two.' },
    ]);
  });

  test('without words asks to repeat when it was long, twice at most', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    for (let i = 0; i < 3; i++) {
      await talk.say('');
      await talk.untilSpoken();
    }
    expect(talk.delegate.turns.slice(1).map((turn) => turn.text)).toEqual([
      "Sorry, I didn't catch that. Could you say it again, please?",
      "Sorry, I didn't catch that. Could you say it again, please?",
    ]);
  });

  test('longer than 15 s is recognised in pieces and reported whole', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.speak(16_000, 'part');
    expect(talk.stt.asked).toBe(1);
    await talk.pause(850, 16_000);
    expect(talk.delegate.turns.at(-1)).toMatchObject({ speaker: 'caller', text: 'part part' });
  });

  test('ends too when the audio stops coming', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    await talk.speak(800, 'Hello?');
    await talk.wait(2_000);
    expect(talk.delegate.turns[1]).toMatchObject({ speaker: 'caller', text: 'Hello?' });
  });
});

describe('barge-in', () => {
  test('ducks the agent at the onset and silences it after 240 ms of speech', async () => {
    const talk = await conversation();
    await talk.wait(500);
    await talk.speak(64);
    expect(talk.audio.gains).toEqual([0.3]);
    expect(talk.audio.cleared).toBe(0);
    await talk.speak(256);
    expect(talk.audio.cleared).toBe(1);
    expect(talk.audio.playing).toBe(false);
    expect(talk.audio.gains).toEqual([0.3, 1]);
  });

  test('cuts the text at what was heard and keeps that as context', async () => {
    const talk = await conversation();
    await talk.wait(1_000);
    await talk.say('Stop.');
    const [agent, caller] = talk.delegate.turns;
    expect(agent).toMatchObject({ speaker: 'agent', interruptedAtMs: expect.any(Number) });
    expect(GREETING.startsWith(agent!.text)).toBe(true);
    expect(agent!.text.length).toBeGreaterThan(5);
    expect(agent!.text.length).toBeLessThan(GREETING.length);
    expect(agent!.interruptedAtMs).toBeGreaterThanOrEqual(1_200);
    expect(caller).toMatchObject({ text: 'Stop.', interruptedAtMs: null });
    expect(talk.responder.asked[0]![0]).toEqual({ role: 'assistant', content: agent!.text });
  });

  test('does not come of a cough: the agent goes on at full volume', async () => {
    const talk = await conversation();
    await talk.wait(300);
    await talk.speak(128);
    await talk.pause(320, 128);
    expect(talk.audio.gains).toEqual([0.3, 1]);
    expect(talk.audio.cleared).toBe(0);
    await talk.untilSpoken();
    expect(talk.delegate.turns).toHaveLength(1);
    expect(talk.delegate.turns[0]!.interruptedAtMs).toBeNull();
  });

  test('of noise without words is followed by a question', async () => {
    const talk = await conversation();
    await talk.wait(300);
    await talk.say('', 400);
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain("didn't catch that");
  });

  test('is only recorded where the agent may not be interrupted, and answered afterwards', async () => {
    const talk = await conversation({
      interruptible: false,
      firstMessage: 'This takes rather a long time to say, so listen.',
    });
    await talk.wait(200);
    await talk.say('Hello?', 600);
    expect(talk.audio.cleared).toBe(0);
    expect(talk.audio.gains).toEqual([]);
    expect(talk.delegate.turns).toMatchObject([{ speaker: 'caller', text: 'Hello?' }]);
    expect(talk.responder.asked).toHaveLength(0);
    await talk.untilSpoken();
    await talk.untilSpoken();
    expect(talk.delegate.turns.map((turn) => turn.speaker)).toEqual(['caller', 'agent', 'agent']);
    expect(talk.delegate.turns[1]!.interruptedAtMs).toBeNull();
  });
});

describe('the goodbye', () => {
  async function atFarewell(persona = {}): Promise<FakeConversation> {
    const talk = await conversation(persona);
    await talk.untilSpoken();
    talk.responder.answer = [{ type: 'text', delta: 'Thank you for calling. Goodbye!' }, { type: 'end_call' }];
    await talk.say('Goodbye.');
    await settle();
    expect([talk.audio.playing, talk.delegate.ends.length]).toEqual([true, 0]);
    return talk;
  }

  test('is spoken to its end, then ends the call, once', async () => {
    const talk = await atFarewell();
    expect(talk.delegate.ends).toEqual([]);
    await talk.untilSpoken();
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
    expect(talk.delegate.turns.at(-1)!.text).toBe('Thank you for calling. Goodbye!');
    await talk.wait(60_000);
    expect(talk.delegate.ends).toHaveLength(1);
  });

  test('is cancelled by the caller who speaks during it', async () => {
    const talk = await atFarewell();
    await talk.wait(300);
    talk.responder.answer = [{ type: 'text', delta: 'Of course.' }];
    await talk.say('Wait, one more thing.');
    await talk.untilSpoken();
    expect(talk.delegate.ends).toEqual([]);
    expect(talk.delegate.turns.at(-1)!.text).toBe('Of course.');
  });

  test('is cancelled even where the agent may not be interrupted', async () => {
    const talk = await atFarewell({ interruptible: false });
    await talk.wait(100);
    talk.responder.answer = [{ type: 'text', delta: 'Of course.' }];
    await talk.say('Wait, one more thing.');
    await talk.untilSpoken();
    await talk.untilSpoken();
    expect(talk.delegate.ends).toEqual([]);
    expect(talk.delegate.turns.map((turn) => turn.text)).toContain('Thank you for calling. Goodbye!');
    expect(talk.delegate.turns.at(-1)!.text).toBe('Of course.');
  });

  test('waits for a sound that began over its last word, and ends after a cough', async () => {
    const talk = await atFarewell();
    const left = 'Thank you for calling. Goodbye!'.length * 60 - 400;
    await talk.wait(left > 0 ? left - 200 : 0);
    while (talk.audio.playing) {
      await talk.wait(20);
      talk.ears.emit({ type: 'speech_continues', mediaId: 7, speechMs: 128 });
    }
    await settle();
    expect(talk.delegate.ends).toEqual([]);
    await talk.pause(320, 128);
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
  });

  test('is said even when the responder ends the call without a word', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.answer = [{ type: 'end_call' }];
    await talk.say('Bye.');
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain('Goodbye');
    expect(talk.delegate.ends).toEqual(['agent_goodbye']);
  });
});

describe('silence', () => {
  test('is asked about twice, then ends the call with a goodbye', async () => {
    const talk = await conversation({ silenceTimeoutMs: 5_000 });
    await talk.wait(40_000);
    expect(talk.delegate.turns.slice(1).map((turn) => turn.text)).toEqual([
      'Hello? Are you still there?',
      "I can't hear you. Are you still there?",
      "I still can't hear you, so I will hang up now. Goodbye.",
    ]);
    expect(talk.delegate.ends).toEqual(['silence']);
  });

  test('starts anew when the caller has spoken', async () => {
    const talk = await conversation({ silenceTimeoutMs: 5_000 });
    await talk.untilSpoken();
    await talk.wait(8_000);
    await talk.say('Yes, I am here.');
    await talk.untilSpoken();
    await talk.wait(7_000);
    expect(talk.delegate.turns.filter((turn) => turn.text === 'Hello? Are you still there?')).toHaveLength(2);
    expect(talk.delegate.ends).toEqual([]);
  });
});

describe('keys', () => {
  test('reach the responder together, after # or two seconds', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    for (const digit of '123#') talk.session.onDtmf(digit);
    await settle();
    expect(talk.responder.asked.at(-1)!.at(-1)).toEqual({ role: 'user', content: '[pressed 1 2 3 #]' });
    await talk.untilSpoken();
    talk.session.onDtmf('9');
    await talk.wait(1_900);
    expect(talk.responder.asked).toHaveLength(1);
    await talk.wait(200);
    expect(talk.responder.asked.at(-1)!.at(-1)).toEqual({ role: 'user', content: '[pressed 9]' });
  });

  test('interrupt the agent', async () => {
    const talk = await conversation();
    await talk.wait(300);
    talk.session.onDtmf('1');
    await settle();
    expect(talk.audio.playing).toBe(false);
    expect(talk.delegate.turns[0]!.interruptedAtMs).not.toBeNull();
  });
});

describe('failures', () => {
  test('of the responder are apologised for and end the call', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.failing = true;
    await talk.say('Hello?');
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain('technical difficulties');
    expect(talk.delegate.ends).toEqual(['error']);
  });

  test('of the recogniser: asks again once, then apologises and ends', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.stt.failing = true;
    await talk.say('Hello?');
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain("didn't catch that");
    await talk.say('Hello?');
    await talk.untilSpoken();
    expect(talk.delegate.ends).toEqual(['error']);
    expect(talk.problems).toHaveLength(2);
  });

  test('of the thread that listens: asks again at once', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.ears.away = true;
    await talk.say('Hello?');
    expect(talk.stt.asked).toBe(0);
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain("didn't catch that");
    talk.ears.away = false;
    await talk.say('Hello?');
    expect(talk.delegate.turns.at(-1)).toMatchObject({ speaker: 'caller', text: 'Hello?' });
  });

  test('of a recogniser that never answers: asks again instead of keeping silent', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.stt.transcribe = () => new Promise(() => undefined);
    await talk.say('Hello?');
    expect(talk.audio.playing).toBe(false);
    await talk.wait(2_200);
    expect(talk.audio.playing).toBe(true);
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain("didn't catch that");
  });

  test('no recogniser at all: apologises when the caller speaks', async () => {
    const talk = await conversation({}, { stt: null });
    await talk.untilSpoken();
    await talk.say('Hello?');
    await talk.untilSpoken();
    expect(talk.delegate.turns.at(-1)!.text).toContain('technical difficulties');
    expect(talk.delegate.ends).toEqual(['error']);
  });

  test('of the voice: the apology made beforehand is played, then the call ends', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.tts.failing = true;
    await talk.say('Hello?');
    expect(talk.audio.playing).toBe(true);
    await talk.untilSpoken();
    expect(talk.delegate.ends).toEqual(['error']);
  });

  test('of the voice without such an apology end the call at once', async () => {
    const talk = await conversation({}, { apology: null });
    await talk.untilSpoken();
    talk.tts.failing = true;
    await talk.say('Hello?');
    expect(talk.delegate.ends).toEqual(['error']);
  });

  test('a responder that is slow is covered by a filler before 3 s of silence', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.silent = true;
    await talk.say('Hello?');
    await talk.wait(1_900);
    expect(talk.delegate.latencies[0]).toBeLessThan(3_000);
    expect(talk.audio.playing).toBe(true);
  });
});

describe('the end from outside', () => {
  test('finish() reports the sentence under way, cut where it was heard, and the last words of the caller', async () => {
    const talk = await conversation();
    await talk.wait(900);
    await talk.session.finish();
    expect(talk.delegate.turns).toHaveLength(1);
    expect(talk.delegate.turns[0]!.interruptedAtMs).toBeNull();
    expect(GREETING.startsWith(talk.delegate.turns[0]!.text)).toBe(true);

    const other = await conversation();
    await other.untilSpoken();
    await other.speak(500, 'never mind');
    await other.session.finish();
    expect(other.delegate.turns.at(-1)).toMatchObject({ speaker: 'caller', text: 'never mind' });
    expect([other.ears.closed, other.clock.armed]).toEqual([1, 0]);
  });

  test('finish() does not wait longer than its deadline', async () => {
    const talk = await conversation();
    talk.audio.clear = () => new Promise(() => undefined);
    await talk.wait(300);
    const finished = talk.session.finish(200);
    await talk.clock.advance(200);
    await finished;
    expect([talk.ears.closed, talk.clock.armed]).toEqual([1, 0]);
    expect(talk.delegate.turns).toEqual([]);
  });

  test('close() leaves no timer and lets nothing follow', async () => {
    const talk = await conversation();
    await talk.wait(300);
    await talk.speak(256);
    talk.session.onDtmf('1');
    talk.session.close();
    talk.session.close();
    const turns = talk.delegate.turns.length;
    await settle();
    expect(talk.clock.armed).toBe(0);
    await talk.wait(60_000);
    expect(talk.delegate.turns).toHaveLength(turns);
    expect(talk.delegate.ends).toEqual([]);
    expect(talk.ears.closed).toBe(1);
  });
});
