/** What a message is, from a first look at its bytes, before anything of it is parsed. */

const INVITE = 'INVITE ';
const CANCEL = 'CANCEL ';
/** Of the first To line, in either form. */
const TO_LINE = /\n(?:to|t)[ \t]*:([^\n]*)/i;
const TAG = /;\s*tag\s*=/i;
/** Of the topmost Via, which is the first to have one. */
const BRANCH = /;\s*branch\s*=\s*([^\s;,]+)/i;

/** What cannot be told from the first look is served as it comes: nothing of a dialog may overtake its own. */
export function opensCall(bytes: Buffer): boolean {
  if (!startsWith(bytes, INVITE)) return false;
  const to = TO_LINE.exec(bytes.toString('latin1'));
  return to !== null && !TAG.test(to[1]!);
}

export function isCancel(bytes: Buffer): boolean {
  return startsWith(bytes, CANCEL);
}

/** The branch of the topmost Via, which a CANCEL shares with its INVITE (RFC 3261 §9.1). */
export function branchOf(bytes: Buffer): string | undefined {
  return BRANCH.exec(bytes.toString('latin1'))?.[1];
}

function startsWith(bytes: Buffer, word: string): boolean {
  for (let n = 0; n < word.length; n++) if (bytes[n] !== word.charCodeAt(n)) return false;
  return true;
}
