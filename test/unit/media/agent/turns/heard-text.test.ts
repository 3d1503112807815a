import fc from 'fast-check';
import { heardText } from '../../../../../media/agent/turns/heard-text';

describe('heardText', () => {
  test.each([
    [0, ''],
    [1_000, 'one'],
    [5_000, 'one two three'],
    [8_000, 'one two three four five'],
    [9_000, 'one two three four five'],
  ])('%i of 8000 samples of "one two three four five" are "%s"', (samples, text) => {
    expect(heardText('one two three four five', samples, 8_000)).toBe(text);
  });

  test('gives a pause at a comma its time', () => {
    expect(heardText('yes, certainly', 1_500, 8_000)).toBe('yes,');
    expect(heardText('yes certainly', 3_900, 8_000)).toBe('yes');
  });

  test('is a prefix that ends with a word and grows with the samples', () => {
    const sentence = fc.array(fc.constantFrom('a', 'word', 'and,', 'longer?', 'é'), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sentence, fc.nat(10_000), fc.nat(10_000), (words, a, b) => {
        const text = words.join(' ');
        const [less, more] = [Math.min(a, b), Math.max(a, b)].map((samples) => heardText(text, samples, 8_000));
        expect(text.startsWith(more!)).toBe(true);
        expect(more!.startsWith(less!)).toBe(true);
        if (more !== '') expect(['', ' ']).toContain(text.slice(more!.length, more!.length + 1));
      }),
    );
  });
});
