/** The agent hands its caller over: when that is wished, and what is said before and after. */
import type { AgentPersona } from '../../../../media/agent/agent-session';
import { FakeConversation } from '../../../fakes/fake-conversation';

const BY_WORD = { by: 'agent', destinationId: 'sales' } as const;
const BY_KEY = { by: 'keypad', destinationId: 'sales' } as const;
const FAILOVER = { by: 'failover', destinationId: null } as const;
const PERSONA: Partial<AgentPersona> = {
  destinations: [{ id: 'sales', name: 'Sales', keypad: '1' }],
  failsOver: true,
};

async function conversation(
  persona = PERSONA,
  options: { stt?: null; apology?: null } = {},
): Promise<FakeConversation> {
  const talk = new FakeConversation(persona, options);
  await talk.answered();
  return talk;
}

const texts = (talk: FakeConversation): string[] => talk.delegate.turns.map((turn) => turn.text);

/** The caller has asked, and the agent says that it is about to put them through. */
async function aboutToTransfer(): Promise<FakeConversation> {
  const talk = await conversation();
  await talk.untilSpoken();
  talk.responder.answer = [
    { type: 'text', delta: 'Let me put you through to the people of our sales team.' },
    { type: 'transfer', wish: BY_WORD },
  ];
  await talk.say('Sales, please.');
  await talk.wait(300);
  return talk;
}

describe('a transfer that the responder decides on', () => {
  test('is wished once, when the words before it were heard', async () => {
    const talk = await aboutToTransfer();
    expect(talk.delegate.wishes).toEqual([]);
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([BY_WORD]);
    expect(texts(talk).at(-1)).toBe('Let me put you through to the people of our sales team.');
    await talk.wait(60_000);
    expect(talk.delegate.wishes).toHaveLength(1);
  });

  test('has words even where the responder has none', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.answer = [{ type: 'transfer', wish: BY_WORD }];
    await talk.say('Sales, please.');
    await talk.untilSpoken();
    expect(texts(talk).at(-1)).toBe('One moment, please.');
    expect(talk.delegate.wishes).toEqual([BY_WORD]);
  });

  test('is wished though the caller says thanks meanwhile', async () => {
    const talk = await aboutToTransfer();
    await talk.say('Thank you so much.');
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([BY_WORD]);
  });

  test('is not wished where the caller objects', async () => {
    const talk = await aboutToTransfer();
    talk.responder.answer = [{ type: 'text', delta: 'All right.' }];
    await talk.say('No, wait.');
    await talk.untilSpoken();
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([]);
    expect(texts(talk).at(-1)).toBe('All right.');
  });

  test('that came to nothing is said, and the conversation goes on', async () => {
    const talk = await aboutToTransfer();
    await talk.untilSpoken();
    talk.session.notTransferred('agent', 'I am sorry, that is not possible.');
    await talk.untilSpoken();
    expect(texts(talk).at(-1)).toBe('I am sorry, that is not possible.');
    talk.responder.answer = [{ type: 'text', delta: 'At nine.' }];
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(texts(talk).at(-1)).toBe('At nine.');
    expect(talk.delegate.ends).toEqual([]);
  });
});

describe('the key of a destination', () => {
  test('cuts the agent off, and wishes after one moment', async () => {
    const talk = await conversation();
    await talk.wait(300);
    talk.session.onDtmf('1');
    await talk.untilSpoken();
    expect(texts(talk).slice(-2)).toEqual(['[pressed 1]', 'One moment, please.']);
    expect(talk.delegate.wishes).toEqual([BY_KEY]);
  });

  test('pressed twice wishes once', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.session.onDtmf('1');
    await talk.wait(200);
    talk.session.onDtmf('1');
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([BY_KEY]);
  });

  test('is a digit like others while digits are collected', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    for (const digit of ['4', '1', '#']) talk.session.onDtmf(digit);
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([]);
    expect(texts(talk)).toContain('[pressed 4 1 #]');
  });

  test('works where the agent is muted, without a word', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.session.mute(true);
    talk.session.onDtmf('1');
    await talk.wait(100);
    expect(talk.delegate.wishes).toEqual([BY_KEY]);
  });
});

describe('an agent that can go on no more', () => {
  test('sends the caller to its failover, having said so', async () => {
    const talk = await conversation(PERSONA, { stt: null });
    await talk.untilSpoken();
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(texts(talk).at(-1)).toMatch(/technical difficulties\. One moment, I will put you through\.$/);
    expect(talk.delegate.wishes).toEqual([FAILOVER]);
    expect(talk.delegate.ends).toEqual([]);
  });

  test('does so where nobody writes its answers', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.responder.failing = true;
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([FAILOVER]);
  });

  test('does so without a word where it has no voice', async () => {
    const talk = await conversation();
    await talk.untilSpoken();
    talk.tts.failing = true;
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(talk.delegate.wishes).toEqual([FAILOVER]);
  });

  test('apologises and ends the call where that may not be, and where it fails again', async () => {
    for (const again of [false, true]) {
      const talk = await conversation(PERSONA, { stt: null });
      await talk.untilSpoken();
      await talk.say('When do you open?');
      await talk.untilSpoken();
      if (again) await talk.say('Hello?');
      else talk.session.notTransferred('failover', 'No.');
      await talk.untilSpoken();
      expect(texts(talk).at(-1)).toMatch(/Please call again later/);
      expect(talk.delegate.ends).toEqual(['error']);
      expect(talk.delegate.wishes).toHaveLength(1);
    }
  });

  test('without a failover apologises at once', async () => {
    const talk = await conversation({ ...PERSONA, failsOver: false }, { stt: null });
    await talk.untilSpoken();
    await talk.say('When do you open?');
    await talk.untilSpoken();
    expect(talk.delegate).toMatchObject({ wishes: [], ends: ['error'] });
  });
});
