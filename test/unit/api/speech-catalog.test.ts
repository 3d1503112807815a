import { SpeechCatalog } from '../../../api/speech-catalog';

const voice = (id: string, language: string[]) => ({ id, name: id, language, gender: 'female' });
const node = (nodeId: string, info: Record<string, unknown>) => ({ nodeId, info });

describe('SpeechCatalog', () => {
  it('gathers the voices of all nodes, each once, and has one default', async () => {
    const catalog = new SpeechCatalog({
      liveNodes: () =>
        Promise.resolve([
          node('a', { voices: [voice('slt', ['en']), voice('rms', ['en'])] }),
          node('b', { voices: [voice('slt', ['en']), { ...voice('eva', ['de']), provider: 'other', default: true }] }),
        ]),
    });
    const { voices } = await catalog.current();
    expect(voices.map(({ id, provider, default: isDefault }) => [id, provider, isDefault])).toEqual([
      ['slt', 'embedded', false],
      ['rms', 'embedded', false],
      ['eva', 'other', true],
    ]);
  });

  it('passes over what a node of another version publishes', async () => {
    const catalog = new SpeechCatalog({
      liveNodes: () => Promise.resolve([node('a', { voices: 'many' }), node('b', { voices: [voice('slt', ['en'])] })]),
    });
    expect((await catalog.current()).voices.map(({ id }) => id)).toEqual(['slt']);
  });

  it('knows which languages nobody speaks, by their primary tag', async () => {
    const catalog = new SpeechCatalog({
      liveNodes: () => Promise.resolve([node('a', { voices: [voice('slt', ['en-US'])] })]),
    });
    const speech = await catalog.current();
    expect(speech.unspoken(['en', 'de'])).toEqual(['de']);
    expect(speech.hasVoice('nobody')).toBe(false);
  });

  it('claims nothing while no node lives', async () => {
    const speech = await new SpeechCatalog({ liveNodes: () => Promise.resolve([]) }).current();
    expect([speech.voices, speech.unspoken(['fi']), speech.hasVoice('any')]).toEqual([[], [], true]);
  });

  it('asks again when its answer is old', async () => {
    let nowMs = 0;
    let asked = 0;
    const catalog = new SpeechCatalog({
      liveNodes: () => {
        asked += 1;
        return Promise.resolve([node('a', { voices: [voice('slt', ['en'])] })]);
      },
      maxAgeMs: 1000,
      nowMs: () => nowMs,
    });
    await catalog.current();
    await catalog.current();
    expect(asked).toBe(1);
    nowMs = 1000;
    await catalog.current();
    expect(asked).toBe(2);
  });
});
