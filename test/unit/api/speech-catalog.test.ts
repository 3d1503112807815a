import { LiveNodes } from '../../../api/live-nodes';
import type { LiveNode } from '../../../api/live-nodes';
import { SpeechCatalog } from '../../../api/speech-catalog';

const voice = (id: string, language: string[]) => ({ id, name: id, language, gender: 'female' });
const node = (nodeId: string, info: Record<string, unknown>): LiveNode => ({ nodeId, sipAddress: null, info });
const catalogOf = (...nodes: LiveNode[]): SpeechCatalog =>
  new SpeechCatalog(new LiveNodes({ find: () => Promise.resolve(nodes) }));

describe('SpeechCatalog', () => {
  it('gathers the voices of all nodes, each once, and has one default', async () => {
    const catalog = catalogOf(
      node('a', { voices: [voice('slt', ['en']), voice('rms', ['en'])] }),
      node('b', { voices: [voice('slt', ['en']), { ...voice('eva', ['de']), provider: 'other', default: true }] }),
    );
    const { voices } = await catalog.current();
    expect(voices.map(({ id, provider, default: isDefault }) => [id, provider, isDefault])).toEqual([
      ['slt', 'embedded', false],
      ['rms', 'embedded', false],
      ['eva', 'other', true],
    ]);
  });

  it('passes over what a node of another version publishes', async () => {
    const catalog = catalogOf(node('a', { voices: 'many' }), node('b', { voices: [voice('slt', ['en'])] }));
    expect((await catalog.current()).voices.map(({ id }) => id)).toEqual(['slt']);
  });

  it('knows which languages nobody speaks, by their primary tag', async () => {
    const speech = await catalogOf(node('a', { voices: [voice('slt', ['en-US'])] })).current();
    expect(speech.unspoken(['en', 'de'])).toEqual(['de']);
    expect(speech.hasVoice('nobody')).toBe(false);
  });

  it('claims nothing while no node lives', async () => {
    const speech = await catalogOf().current();
    expect([speech.voices, speech.unspoken(['fi']), speech.hasVoice('any')]).toEqual([[], [], true]);
  });

  it('reads the same nodes once and others anew', async () => {
    let nowMs = 0;
    let voices = [voice('slt', ['en'])];
    const nodes = new LiveNodes({ find: () => Promise.resolve([node('a', { voices })]), nowMs: () => nowMs });
    const catalog = new SpeechCatalog(nodes);
    const speech = await catalog.current();
    voices = [voice('eva', ['de'])];
    expect(await catalog.current()).toBe(speech);
    nowMs = 2000;
    expect((await catalog.current()).voices.map(({ id }) => id)).toEqual(['eva']);
  });
});
