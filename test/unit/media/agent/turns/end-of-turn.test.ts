import { silenceThatEndsTurn } from '../../../../../media/agent/turns/end-of-turn';

describe('the silence that ends a turn', () => {
  test.each([
    ['What are your opening hours?', 500],
    ['Yes.', 500],
    ['What is that for?', 500],
    ['I need it tomorrow', 650],
    ['', 650],
    ['I would like to', 800],
    ['I would like to.', 800],
    ['My number is', 800],
    ['Well, um', 800],
    ['On Monday,', 800],
    ['And then...', 800],
    ['It is four five nine.', 800],
    ['My number is 555 12.', 800],
    ['No.', 500],
  ])('after "%s" is %i ms', (text, ms) => {
    expect(silenceThatEndsTurn(text)).toBe(ms);
  });
});
