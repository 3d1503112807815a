import { wordErrorRate, words } from '../../support/word-error-rate';

describe('wordErrorRate', () => {
  test.each([
    ['the same words', 'Hi, thanks for calling!', 'hi thanks for calling', 0],
    ['a wrong word', 'how can I help you', 'how can I held you', 0.2],
    ['a missing word', 'how can I help you', 'how can help you', 0.2],
    ['a word too many', 'how can I help you', 'how how can I help you', 0.2],
    ['nothing heard', 'how are you', '', 1],
    ['nothing said', '', '', 0],
    ['something heard in silence', '', 'hello', 1],
    ['digits and apostrophes', "It's 3 o'clock", 'its three oclock', 0],
  ])('%s', (_, reference, hypothesis, rate) => {
    expect(wordErrorRate(reference, hypothesis)).toBeCloseTo(rate);
  });

  it('compares words without case and punctuation', () => {
    expect(words('Good-bye, Mr. Müller!')).toEqual(['good', 'bye', 'mr', 'müller']);
  });
});
