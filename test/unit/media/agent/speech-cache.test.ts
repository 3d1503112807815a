import { SpeechCache } from '../../../../media/agent/speech-cache';

describe('SpeechCache', () => {
  const seconds = (n: number): Int16Array => new Int16Array(n * 8_000);

  test('drops what was not used for longest when it is full', () => {
    const cache = new SpeechCache(3 * 16_000);
    cache.set('a', seconds(1));
    cache.set('b', seconds(1));
    cache.set('c', seconds(1));
    cache.get('a');
    cache.set('d', seconds(1));
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key))).toEqual(['a', 'c', 'd']);
    cache.set('e', seconds(1));
    expect(['a', 'c', 'd', 'e'].filter((key) => cache.get(key))).toEqual(['c', 'd', 'e']);
  });

  test('counts a replaced entry once and refuses what is larger than itself', () => {
    const cache = new SpeechCache(2 * 16_000);
    const held = (): string[] => ['a', 'b', 'c', 'd'].filter((key) => cache.get(key));
    cache.set('a', seconds(1));
    cache.set('a', seconds(1));
    cache.set('b', seconds(1));
    expect(held()).toEqual(['a', 'b']);
    cache.set('c', seconds(3));
    expect(held()).toEqual(['a', 'b']);
    cache.set('d', seconds(1));
    expect(held()).toEqual(['b', 'd']);
  });
});
