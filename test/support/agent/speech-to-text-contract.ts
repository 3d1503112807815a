import type { SpeechToText } from '../../../media/agent/speech-to-text';
export interface SpeechToTextUnderTest {
  readonly stt: SpeechToText;
  /** Speech that it can understand, and one of the words in it. */
  readonly speech: Int16Array;
  readonly word: string;
  readonly close?: () => Promise<void>;
}

/** What every recogniser does. */
export function describeSpeechToText(name: string, make: () => Promise<SpeechToTextUnderTest>): void {
  describe(`speech-to-text contract: ${name}`, () => {
    let made: SpeechToTextUnderTest;
    beforeAll(async () => {
      made = await make();
    }, 30_000);
    afterAll(async () => {
      await made.stt.close();
      await made.close?.();
    });

    test('names itself', () => {
      expect(made.stt.name).not.toBe('');
    });

    test('recognises an utterance and leaves its samples alone', async () => {
      const before = made.speech.slice();
      const { text, confidence } = await made.stt.transcribe(made.speech, { keyterms: [] });
      expect(text.toLowerCase()).toContain(made.word);
      if (confidence !== null) {
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThanOrEqual(1);
      }
      expect(made.speech).toEqual(before);
    });

    test('answers requests that come together', async () => {
      const results = await Promise.all([1, 2, 3].map(() => made.stt.transcribe(made.speech, { keyterms: [] })));
      for (const { text } of results) expect(text.toLowerCase()).toContain(made.word);
    });

    test('rejects what is aborted, waiting or running, and goes on with the next', async () => {
      const aborts = [new AbortController(), new AbortController()];
      const cancelled = aborts.map(({ signal }) => made.stt.transcribe(made.speech, { keyterms: [], signal }));
      const next = made.stt.transcribe(made.speech, { keyterms: [] });
      const settled = Promise.allSettled(cancelled);
      for (const abort of aborts) abort.abort();
      expect((await settled).map((result) => result.status)).toEqual(['rejected', 'rejected']);
      expect((await next).text.toLowerCase()).toContain(made.word);
      await expect(made.stt.transcribe(made.speech, { keyterms: [], signal: AbortSignal.abort() })).rejects.toThrow();
    });
  });
}
