import fc from 'fast-check';
import { speakableText } from '../../../../media/agent/speakable-text';

describe('speakable text', () => {
  test.each([
    ['Call +15551234567 now', 'Call 1 5 5 5 1 2 3 4 5 6 7 now'],
    ['In 2026 it costs $20', 'In 2026 it costs $20'],
    ['**Bold** and `code`', 'Bold and code'],
    ['See [our site](https://example.org/x)', 'See our site'],
    ['https://www.example.org', 'example.org'],
    ['Fish & chips, 50% off', 'Fish and chips, 50 percent off'],
    ['It’s “fine” – really…', 'It\'s "fine" , really...'],
    ['Café Müller 😀', 'Cafe Muller'],
    ['…', '...'],
    ['a\0b\u0007c', 'abc'],
  ])('%j is said as %j', (text, spoken) => {
    expect(speakableText(text)).toBe(spoken);
  });

  test('is printable ASCII of bounded length, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        const spoken = speakableText(text);
        expect(spoken).toMatch(/^[\x20-\x7e]*$/);
        expect(spoken).toBe(spoken.trim());
      }),
    );
  });
});
