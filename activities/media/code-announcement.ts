import type { Announcement } from '../../contract/commands';

/** In the transcript in the place of the digits. */
const LEFT_OUT = '[code]';

/**
 * What a code call says: the code twice, digit by digit, after words that give the callee the time to lift the phone to his
 * ear, and a pen.
 */
export function codeAnnouncement(code: string): Announcement {
  return { sentences: sentences(code.split('').join(', ')), record: sentences(LEFT_OUT).join(' ') };
}

function sentences(digits: string): readonly string[] {
  return [
    'Hello. This call verifies your phone number.',
    `Your verification code is: ${digits}.`,
    `Once again, your verification code is: ${digits}.`,
    'Thank you. Goodbye.',
  ];
}
