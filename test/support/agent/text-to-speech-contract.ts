import type { TextToSpeech } from '../../../media/agent/text-to-speech';
export async function spokenBy(
  tts: TextToSpeech,
  text: string,
  voiceId: string | null = null,
  speedPct = 100,
): Promise<Int16Array> {
  const chunks: Int16Array[] = [];
  for await (const chunk of tts.synthesise({ text, voiceId, speedPct })) chunks.push(chunk);
  return Int16Array.from(chunks.flatMap((chunk) => [...chunk]));
}

/** What every voice provider does. */
export function describeTextToSpeech(name: string, make: () => Promise<TextToSpeech>): void {
  describe(`text-to-speech contract: ${name}`, () => {
    let tts: TextToSpeech;
    beforeAll(async () => {
      tts = await make();
    });
    afterAll(() => tts.close());

    test('names itself and its voices, each once, with the languages that they speak', () => {
      expect(tts.name).not.toBe('');
      const ids = tts.voices().map((voice) => voice.id);
      expect(ids.length).toBeGreaterThan(0);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { language } of tts.voices()) {
        expect(language.length).toBeGreaterThan(0);
        expect(Intl.getCanonicalLocales(language)).toEqual(language);
      }
    });

    test('yields 8 kHz speech of a plausible length', async () => {
      const seconds = (await spokenBy(tts, 'How can I help you today?')).length / 8_000;
      expect(seconds).toBeGreaterThan(0.8);
      expect(seconds).toBeLessThan(3.5);
    });

    test('speaks with the default voice when it does not know the one asked for', async () => {
      expect((await spokenBy(tts, 'Hello there.', 'no-such-voice')).length).toBeGreaterThan(2_000);
    });

    test('answers requests that come together, each with its own speech', async () => {
      const texts = [
        'One.',
        'The second sentence is longer.',
        'The third sentence is the longest of them all, by far.',
      ];
      const lengths = (await Promise.all(texts.map((text) => spokenBy(tts, text)))).map((pcm) => pcm.length);
      expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    });

    test('rejects when it is aborted', async () => {
      const request = { text: 'Never spoken.', voiceId: null, speedPct: 100, signal: AbortSignal.abort() };
      await expect(tts.synthesise(request)[Symbol.asyncIterator]().next()).rejects.toThrow();
    });
  });
}
