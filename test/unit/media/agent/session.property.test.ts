import fc from 'fast-check';
import type { ResponderEvent } from '../../../../media/agent/responder/responder';
import { settle } from '../../../fakes/fake-clock';
import { FakeConversation } from '../../../fakes/fake-conversation';

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'speak'; readonly ms: number; readonly text: string }
  | { readonly do: 'pause'; readonly ms: number; readonly speechMs: number }
  | { readonly do: 'press'; readonly digit: string }
  | { readonly do: 'hold'; readonly held: boolean }
  | { readonly do: 'answer'; readonly events: readonly ResponderEvent[] }
  | { readonly do: 'break'; readonly part: 'tts' | 'stt' | 'responder'; readonly failing: boolean };

const ANSWERS: readonly (readonly ResponderEvent[])[] = [
  [{ type: 'text', delta: 'Certainly. We open at nine. Do you want to come by?' }],
  [{ type: 'text', delta: 'Goodbye then, and thank you.' }, { type: 'end_call' }],
  [{ type: 'end_call' }],
  [],
];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 20, max: 4_000 }) }),
  fc.record({
    do: fc.constant('speak' as const),
    ms: fc.integer({ min: 64, max: 1_200 }),
    text: fc.constantFrom('', 'Yes.', 'What time do you open?', 'and then'),
  }),
  fc.record({
    do: fc.constant('pause' as const),
    ms: fc.integer({ min: 32, max: 1_200 }),
    speechMs: fc.integer({ min: 64, max: 1_200 }),
  }),
  fc.record({ do: fc.constant('press' as const), digit: fc.constantFrom('1', '5', '#', '*') }),
  fc.record({ do: fc.constant('hold' as const), held: fc.boolean() }),
  fc.record({ do: fc.constant('answer' as const), events: fc.constantFrom(...ANSWERS) }),
  fc.record({
    do: fc.constant('break' as const),
    part: fc.constantFrom('tts' as const, 'stt' as const, 'responder' as const),
    failing: fc.boolean(),
  }),
);

async function perform(talk: FakeConversation, action: Step): Promise<void> {
  switch (action.do) {
    case 'wait':
      return talk.wait(action.ms);
    case 'speak':
      return talk.speak(action.ms, action.text);
    case 'pause':
      return talk.pause(action.ms, action.speechMs);
    case 'press':
      return talk.session.onDtmf(action.digit);
    case 'hold':
      return talk.hold(action.held);
    case 'answer':
      talk.responder.answer = action.events;
      return;
    case 'break':
      talk[action.part].failing = action.failing;
      return;
  }
}

/** It has ended: whatever the caller still says or presses, the agent says nothing more. */
async function expectNoAnswer(talk: FakeConversation): Promise<void> {
  const before = [talk.responder.asked.length, talk.audio.playedIds.length];
  talk.session.onDtmf('5');
  await talk.say('Hello?');
  await talk.wait(4_000);
  expect([talk.responder.asked.length, talk.audio.playedIds.length]).toEqual(before);
  expect(talk.audio.playing).toBe(false);
}

describe('whatever happens in a conversation', () => {
  test('it ends at most once, reports turns in order, and nothing follows its close', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom('finish' as const, 'close' as const),
        async (steps, interruptible, ending) => {
          const talk = new FakeConversation({ interruptible, silenceTimeoutMs: 3_000 });
          await talk.answered();
          for (const action of steps) await perform(talk, action);

          expect(talk.delegate.ends.length).toBeLessThanOrEqual(1);
          if (talk.delegate.ends.length === 1) await expectNoAnswer(talk);
          if (ending === 'close') talk.session.close();
          else {
            const finished = talk.session.finish(200);
            await talk.clock.advance(200);
            await finished;
          }
          const { turns, ends } = talk.delegate;
          const spoken = turns.length;
          const ended = ends.length;
          for (const turn of turns) {
            expect(turn.text).not.toBe('');
            expect(turn.startMs).toBeGreaterThanOrEqual(0);
            expect(turn.endMs).toBeGreaterThanOrEqual(turn.startMs);
            if (turn.interruptedAtMs !== null) expect(turn.speaker).toBe('agent');
          }
          const starts = turns.filter((turn) => turn.speaker === 'agent').map((turn) => turn.startMs);
          expect(starts).toEqual([...starts].sort((a, b) => a - b));

          // After the close: silence on the line, no turn, no end, no timer.
          const played = talk.audio.playedIds.length;
          talk.session.onDtmf('1');
          await talk.wait(5_000);
          await settle();
          expect(talk.delegate.turns).toHaveLength(spoken);
          expect(talk.delegate.ends).toHaveLength(ended);
          expect(talk.audio.playedIds).toHaveLength(played);
          expect(talk.clock.armed).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  }, 60_000);

  test('left alone, it always comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const talk = new FakeConversation({ silenceTimeoutMs: 3_000 });
        await talk.answered();
        for (const action of steps) await perform(talk, action);
        talk.stt.text = '';
        await talk.hold(false);
        await talk.pause(1_000, 400);
        await talk.wait(60_000);
        expect(talk.delegate.ends).toHaveLength(1);
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  test('an interrupted sentence is reported as a prefix of what was to be said', async () => {
    const text = 'Certainly. We open at nine, and we close at five. Do you want to come by?';
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: 6_000 }), async (heardMs) => {
        const talk = new FakeConversation({ firstMessage: text });
        await talk.answered();
        await talk.wait(heardMs);
        await talk.say('Stop.', 400);
        const agent = talk.delegate.turns.find((turn) => turn.speaker === 'agent');
        // Cut before its first word, it is not reported at all.
        expect(text.startsWith(agent?.text ?? '')).toBe(true);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
