import type { Responder, ResponderEvent } from '../../../media/agent/responder/responder';
import { TEST_PERSONA } from '../../fakes/fake-speech';

export interface ResponderUnderTest {
  readonly responder: Responder;
  readonly close?: () => Promise<void>;
}

export async function answerOf(responder: Responder, said: string, signal?: AbortSignal): Promise<ResponderEvent[]> {
  const events: ResponderEvent[] = [];
  const request = {
    persona: TEST_PERSONA,
    history: [
      { role: 'assistant' as const, content: TEST_PERSONA.firstMessage },
      { role: 'user' as const, content: said },
    ],
    signal: signal ?? new AbortController().signal,
  };
  for await (const event of responder.respond(request)) events.push(event);
  return events;
}

/** What every responder does. `make` gives one that is ready to answer politely, and to end the call at a goodbye. */
export function describeResponder(name: string, make: () => Promise<ResponderUnderTest>): void {
  describe(`responder contract: ${name}`, () => {
    let made: ResponderUnderTest;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(async () => {
      await made.close?.();
    });

    test('has a name', () => {
      expect(made.responder.name).not.toBe('');
    });

    test('answers a question with text', async () => {
      const events = await answerOf(made.responder, 'What are your opening hours?');
      const text = events.flatMap((event) => (event.type === 'text' ? event.delta : [])).join('');
      expect(text.trim()).not.toBe('');
    });

    test('ends the call at a goodbye, after its words', async () => {
      const events = await answerOf(made.responder, 'Goodbye.');
      expect(events.filter((event) => event.type === 'end_call')).toHaveLength(1);
      expect(events.at(-1)).toEqual({ type: 'end_call' });
    });

    test('says nothing when it is aborted before it begins', async () => {
      await expect(answerOf(made.responder, 'Hello?', AbortSignal.abort())).rejects.toThrow();
    });
  });
}
