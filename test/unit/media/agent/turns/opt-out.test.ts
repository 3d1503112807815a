import fc from 'fast-check';
import { asksToOptOut, pressesOptOut } from '../../../../../media/agent/turns/opt-out';

describe('not to be called again', () => {
  test.each([
    'Stop calling me.',
    'Stop calling me!',
    'Please stop calling.',
    'Could you please stop calling this number?',
    'Listen, stop calling my house, I mean it.',
    'Stop calling us at dinner every night.',
    'Quit calling here.',
    'Stop these calls.',
    'Stop all the calls.',
    "Don't call me again.",
    'Do not call me anymore.',
    'Do not call me any more, please.',
    "Please don't ever call this number again.",
    'Never call me again.',
    "Don't call back.",
    "Don't call me, I'm not interested.",
    'Do not call.',
    'I told you not to call me again.',
    'I would like you to never call me again.',
    "Didn't I tell you to stop calling me?",
    "I'd rather you not call me.",
    'Take me off your list.',
    'Can you take me off the list, please?',
    'Take me off of your calling list.',
    'Remove me from your list.',
    'Remove my number from your database.',
    'Please remove my phone number from your records.',
    'Delete my number from your system.',
    'Take me off.',
    'Remove me, please.',
    'I want to be removed from your list.',
    "I'd like to be taken off the list.",
    'I want to be removed.',
    'Put me on your do not call list.',
    'Add my number to the do-not-call list.',
    "I'm on the national do not call registry.",
    'Opt out.',
    'I want to opt out of these calls.',
    'How do I opt out?',
    'Opt me out.',
    'Unsubscribe.',
    'Please unsubscribe me.',
    'No more calls.',
    'No more calls, please!',
    "I don't want any more calls from you.",
    "I don't want to be called again.",
    "I don't want you to call me again.",
    "I don't want you calling me anymore.",
    "I don't want to hear from you again.",
    'Lose my number.',
    'Leave me alone.',
    'Why don’t you take me off your list?',
    "Why can't you just stop calling me?",
    'Hello? Who is this? Take me off your list.',
    'You people never listen. Stop calling me.',
    'The doctor is fine, thanks, but stop calling me.',
  ])('%s', (text) => {
    expect(asksToOptOut(text)).toBe(true);
  });
});

describe('something else', () => {
  test.each([
    "Don't stop.",
    "Don't stop calling me.",
    "Please don't stop calling, it helps.",
    'Never stop calling me.',
    "I didn't say stop calling me.",
    "I don't want you to stop calling me.",
    'Stop.',
    'Stop it, please.',
    'Wait, stop, go back.',
    "Don't call me now, I'm driving.",
    "Don't call me tomorrow.",
    'Do not call me before nine.',
    "Don't call me at work, call my mobile.",
    "Don't call me Bob.",
    'Stop calling me Mister Smith.',
    'Stop calling me names.',
    'Call me again tomorrow.',
    'Can you call me back later?',
    'Please call again.',
    'I am not interested.',
    'No.',
    'No, thank you.',
    'Not now.',
    "Please don't take me off your list.",
    'Do not remove me from the list.',
    'I never asked to be removed from your list.',
    'Take me off hold.',
    'Take me off speaker.',
    'Take me to the list of options.',
    'What is on your list?',
    'Am I on your do not call list?',
    "I don't want to opt out.",
    'I did not unsubscribe.',
    'Can I opt out later?',
    'What happens if I opt out?',
    'There are no more calls today, are there?',
    "I don't want anything to change.",
    'I want to be called tomorrow.',
    'Yes, you may call me.',
    "Don't leave me alone.",
    'I stopped calling them myself.',
    'The number I called is wrong.',
    "Don't hang up.",
    "Don't bother.",
    'They called me again.',
    '[pressed 9]',
    '',
  ])('%s', (text) => {
    expect(asksToOptOut(text)).toBe(false);
  });
});

test('capitals, punctuation and what a recogniser sets as it likes make no difference', () => {
  const noise = fc.constantFrom('', ',', '.', '!', ' -', '…');
  fc.assert(
    fc.property(fc.array(noise, { minLength: 6, maxLength: 6 }), fc.boolean(), (between, upper) => {
      const text = ['please', 'take', 'me', 'off', 'your', 'list']
        .map((word, n) => `${word}${between[n] ?? ''}`)
        .join(' ');
      expect(asksToOptOut(upper ? text.toUpperCase() : text)).toBe(true);
    }),
  );
});

test('any text is decided in no time', () => {
  const words = fc.constantFrom(
    'stop',
    'calling',
    'me',
    "don't",
    'take',
    'my',
    'off',
    'list',
    'never',
    'to',
    'want',
    'you',
    'x',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 200 }), (said) => {
      const begun = performance.now();
      asksToOptOut(said.join(' '));
      expect(performance.now() - begun).toBeLessThan(50);
    }),
    { numRuns: 300 },
  );
});

test('nine alone opts out, with or without the key that ends it; in a number it does not', () => {
  expect([['9'], ['9', '#']].map(pressesOptOut)).toEqual([true, true]);
  expect([['1', '9'], ['9', '9'], ['9', '0'], ['*', '9'], ['#'], []].map(pressesOptOut)).toEqual(Array(6).fill(false));
});
