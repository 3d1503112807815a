import { consentIn } from '../../../../../media/agent/turns/consent';

test.each([
  ['Yes.', true],
  ['Yeah, sure.', true],
  ['I accept.', true],
  ['Yes, put him through.', true],
  ['No problem.', true],
  ['Why not?', true],
  ['No.', false],
  ["No, I can't accept that.", false],
  ['I can’t right now', false],
  ['Yes, but not now.', false],
  ['I am busy.', false],
  ['Hello?', null],
  ['Okay, who is it?', null],
  ['', null],
  ['Eyes on yesterday.', null],
  ['You have reached the mailbox of somebody, yes, please leave a message after the tone.', null],
])('%j is %s', (text, consent) => {
  expect(consentIn(text)).toBe(consent);
});
