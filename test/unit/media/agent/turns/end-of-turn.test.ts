import {
  LONG_SILENCE_MS,
  SHORT_SILENCE_MS,
  silenceThatEndsTurn,
  USUAL_SILENCE_MS,
} from '../../../../../media/agent/turns/end-of-turn';

describe('the silence that ends a turn', () => {
  test.each([
    ['What are your opening hours?', SHORT_SILENCE_MS],
    ['Yes.', SHORT_SILENCE_MS],
    ['What is that for?', SHORT_SILENCE_MS],
    ['I need it tomorrow', USUAL_SILENCE_MS],
    ['', USUAL_SILENCE_MS],
    ['I would like to', LONG_SILENCE_MS],
    ['I would like to.', LONG_SILENCE_MS],
    ['My number is', LONG_SILENCE_MS],
    ['Well, um', LONG_SILENCE_MS],
    ['On Monday,', LONG_SILENCE_MS],
    ['And then...', LONG_SILENCE_MS],
    ['It is four five nine.', LONG_SILENCE_MS],
    ['My number is 555 12.', LONG_SILENCE_MS],
    ['No.', SHORT_SILENCE_MS],
  ])('after "%s" is %i ms', (text, ms) => {
    expect(silenceThatEndsTurn(text)).toBe(ms);
  });
});
