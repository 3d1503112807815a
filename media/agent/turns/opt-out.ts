/**
 * Whether somebody who was called says that they are not to be called again; English, like the embedded recogniser. Whoever
 * asks for another time, or for something else to stop, says so with much the same words.
 */
import { plainWords } from '../responder/plain-words';

/** Pressed alone: an account number has it among others. */
export const OPT_OUT_KEY = '9';

const ME =
  '(?:me|us|here|this (?:number|phone|house)|(?:my|our) (?:number|phone|cell|mobile|house|home|husband|wife|mother|father|mom|dad)(?: number| phone)?)';
const LIST = '(?:lists?|databases?|systems?|records?|files?|directory|registry)';
/** What may follow on a "do not call me" that means for ever; a time, or a name, does not. */
const FOR_GOOD =
  "(?: (?:again|ever|any ?more|at all|back|please|thanks|thank you|on this|at this|from now on|in the future|for any|about|with|i|i'm|i am|we|it's|this is|ok|okay|you|and|or|bye|goodbye|no)\\b.*)?$";
/** After "stop calling me": what it is rather than whom. */
const A_NAME =
  "(?! (?:mr|mrs|ms|mister|miss|missus|sir|ma'?am|madam|names|that|a|an|the|dude|bro|buddy|honey|dear|sweetheart|your)\\b)";

const REQUESTS: readonly RegExp[] = [
  new RegExp(
    `\\b(?:stop|quit|cease) (?:calling|phoning|ringing|contacting|bothering|harassing|dialing|dialling|robocalling)(?: ${ME}${A_NAME}| (?:again|any ?more|please|now|right now|immediately|already)\\b|$)`,
  ),
  /\b(?:stop|cancel|end) (?:these|those|the|your|all|all these|all of these|making these|sending me)(?: \w+)? (?:calls|robocalls)\b/,
  new RegExp(
    `\\b(?:don't|do not|don't you|never)(?: you)?(?: ever| dare)? (?:call|phone|ring|contact|dial|bother|telephone)(?: ${ME}| again| any ?more)${FOR_GOOD}`,
  ),
  /^(?:please )?(?:do not|don't|never) (?:ever )?call(?: again| any ?more| back)?(?: please)?$/,
  new RegExp(
    `\\b(?:told|asked|asking|telling|tell|ask|want|need|like|prefer|rather)(?: \\w+){0,2} (?:not|never)(?: to)?(?: ever)? (?:call|phone|ring|contact|bother)(?: ${ME}| again| any ?more)${FOR_GOOD}`,
  ),
  new RegExp(
    `\\b(?:take|remove|get|delete|scratch|drop|strike|erase|cross|keep) (?:me|us|(?:my|our|this)(?: \\w+){0,2} (?:number|name|phone|information|info|details|data)|(?:my|our|this) (?:number|name)) (?:off|from|out of|off of)(?: \\w+){0,4} ${LIST}\\b`,
  ),
  /^(?:(?:please|just|can you|could you|would you|will you|ok|okay|no|yes|you can|i want you to|i'd like you to|i would like you to) )*(?:take me off|remove (?:me|my number|my name|us|this number)|delete my number)(?: (?:please|now|right now|immediately|thanks|thank you))*$/,
  new RegExp(`\\b(?:be|get|been) (?:taken off|removed|removed from|deleted from|off)(?: of)?(?: \\w+){0,4} ${LIST}\\b`),
  /\b(?:want|like|wish|need|asked?) to be removed$/,
  /\b(?:put|add|place) (?:me|us|my number|this number|my name)(?: \w+){0,4} (?:do not|don't|no) (?:call|contact)\b/,
  /\b(?:i'm|i am|we're|we are|number is|this is|already|listed)(?: \w+){0,2} on (?:the|your|a)(?: \w+)? (?:do not|don't|no) call\b/,
  /\b(?:opt|opting|opted) (?:me |us )?out\b|\boptout\b/,
  /\bun ?subscribe\b|\bunsubscribing\b/,
  /\bno (?:more|further) (?:phone |telephone |sales |marketing )?calls?(?: (?:please|ever|again|from you|to (?:me|this number)|any ?more|thanks|thank you))*$/,
  /\b(?:don't|do not|never) (?:want|wish|need)(?: to)?(?: \w+){0,2} (?:calls|phone calls|be called|be contacted|hear from you)(?: (?:again|ever|any ?more|please|from you|from anyone|at all|like this|you|on this|at this)\b.*)?$/,
  new RegExp(
    `\\b(?:don't|do not|never) want you(?: guys| people)? (?:calling|to (?:call|contact|phone|ring))(?: ${ME}| again| any ?more)${FOR_GOOD}`,
  ),
  /\blose (?:my|this) number\b/,
  /^(?:(?:please|just|ok|okay|no|can you|will you) )*leave (?:me|us) alone(?: please| now)?$/,
];

/** Before a request it turns it round: "don't stop calling me". A question does not: "why don't you take me off your list". */
const TURNED_ROUND =
  /\b(?:don't|do not|doesn't|does not|didn't|did not|never|not|won't|wouldn't|shouldn't|no need)(?: (?:want|wanna|wish|need|have|ask|asked|say|said|tell|told|mean|going|gonna|trying|like|please|ever|just|you to|you|me to|to|i|should|would|for))* $/;
/** "Didn't I tell you to", which asks for it all the more. */
const TOLD_BEFORE =
  /\b(?:didn't|did not|haven't|have not) (?:i|we) (?:already |just )?(?:tell|told|ask|asked|say|said)(?: you)?(?: guys| people)?(?: to)?\b/g;
/** "Why don't you", "can't you". */
const ASKED_FOR =
  /\b(?:why (?:don't|do not|can't|won't)|can't|won't|wouldn't|couldn't|don't) you(?: (?:please|just|ever))?(?= )/g;
/** About it, for another time. */
const SUPPOSED = /\b(?:if|what happens|later|whether|would happen|suppose|am i|are we)\b/;
const ABOUT_OPT_OUT = /\b(?:opt|opting|opted|optout|un ?subscrib\w+)\b/;

export function asksToOptOut(text: string): boolean {
  const said = plainWords(text).replaceAll(TOLD_BEFORE, '').replaceAll(/\s+/g, ' ').trim();
  if (said.startsWith('[')) return false;
  return REQUESTS.some((request) => {
    const found = request.exec(said);
    if (found === null) return false;
    const before = said.slice(0, found.index).replaceAll(ASKED_FOR, '');
    if (TURNED_ROUND.test(before)) return false;
    return !(ABOUT_OPT_OUT.test(found[0]) && SUPPOSED.test(said));
  });
}

/** @param digits that were pressed together, `#` at their end or not */
export function pressesOptOut(digits: readonly string[]): boolean {
  return digits.filter((digit) => digit !== '#').join('') === OPT_OUT_KEY;
}
