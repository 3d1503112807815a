/** Whether somebody who was asked has said yes or no; English, like the embedded recogniser. */

const YES = /\b(?:yes|yeah|yep|accept|accepted|sure|(?:connect|put) (?:him|her|them|me|us))\b/;
const NO = /\b(?:no|nope|not|decline|declined|reject|refuse|never|don't|can't|cannot|won't|busy|later)\b/;
/** Which takes nothing back. */
const POLITE = /\b(?:no (?:problem|worries|trouble)|why not)\b/g;
/** Whoever says more is telling something else, as the greeting of a mailbox does. */
const MAX_WORDS = 8;

/** Null: neither, or both. A no among other words is a no. */
export function consentIn(text: string): boolean | null {
  const said = text.toLowerCase().replaceAll('’', "'");
  if ((said.match(/[a-z']+/g) ?? []).length > MAX_WORDS) return null;
  const rest = said.replaceAll(POLITE, '');
  if (NO.test(rest)) return false;
  return YES.test(rest) || rest !== said ? true : null;
}
