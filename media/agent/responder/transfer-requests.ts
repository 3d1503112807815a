/**
 * The built-in responder's part in transfers: whom the caller wants to talk to, by the names of the agent's destinations;
 * asked back, and wished only after a yes. It keeps nothing: what was asked is read from the conversation.
 */
import type { TransferWish } from '../../../contract/transfers';
import type { AgentPersona } from '../agent-session';
import { ONE_MOMENT } from '../turns/phrases';
import { hasStem, stemsOf } from './knowledge';
import { plainWords, spokenName } from './plain-words';
import type { ChatMessage } from './responder';

interface Offer {
  readonly name: string;
  readonly wish: TransferWish;
  readonly stems: readonly string[];
}

export interface TransferReply {
  readonly text: string;
  readonly wish?: TransferWish;
}

/** Of a name that has others too. */
const GENERIC = new Set(stemsOf('department dept team desk office group division line people'));
const MIN_SCORE = 0.5;
/** A bare name is short. */
const MAX_BARE_WORDS = 4;
const MAX_NAMES = 5;

const REQUEST =
  /\b(?:talk|speak|chat|connect(?:ed)?|transfer(?:red)?|forward(?:ed)?|switch(?:ed)?|redirect(?:ed)?|put|pass|send|get|take|hand)\b.*\b(?:to|with|through|over|me)\b|\breach\b/;
const TO_THE_AGENT = /\b(?:talk|speak|chat) (?:to|with) you\b/;
/** Of somebody, whoever it is. */
const CERTAIN_REQUEST =
  /\b(?:(?:talk|speak) (?:to|with) (?!you\b)|(?:connect|transfer|forward|redirect) me|put me (?:through|on)|through to)/;
const PERSON =
  /\b(?:human|operator|receptionist|representative|colleague|somebody|someone|(?:a|an|the|real|live|actual) (?:person|people|agent))\b/;
const BARE_PERSON =
  /^(?:(?:a|an|the|real|live|actual|please) )*(?:human|operator|receptionist|representative|person)\b(?: being)?(?: please)?$/;
const YES =
  /^(?:(?:yes|yeah|yep|yup|sure|ok|okay|please|of course|certainly|absolutely|correct|right|that's right|go ahead|do (?:so|it|that)|do|thanks|thank you|that would be (?:great|good|nice|fine))(?: |$))+$/;
const NO = /^(?:no|nope|nah|not|never mind|nevermind|don't|do not|cancel|stop|wait)\b/;

const question = (name: string): string => `Shall I put you through to ${name}?`;

/** Null where it is not about a transfer. */
export function answerTransfer(
  said: string,
  persona: AgentPersona,
  history: readonly ChatMessage[],
): TransferReply | null {
  const offers = offersOf(persona);
  if (offers.length === 0) return null;
  const asked = offerAsked(offers, history);
  if (asked && YES.test(said)) return { text: ONE_MOMENT, wish: asked.wish };
  if (asked && NO.test(said)) return { text: 'All right. How else can I help you?' };
  const wanted = wantedOf(offers, said);
  const [only] = wanted;
  if (only && wanted.length === 1) return { text: question(only.name) };
  if (wanted.length > 1) return { text: choiceOf(wanted) };
  return CERTAIN_REQUEST.test(said) ? { text: choiceOf(offers) } : null;
}

function offersOf({ destinations = [], handsOff = false }: AgentPersona): Offer[] {
  const named = destinations.map(({ id, name }): Offer => {
    const stems = stemsOf(name);
    const telling = stems.filter((stem) => !GENERIC.has(stem));
    const wish = { by: 'agent', destinationId: id } as const;
    return { name: spokenName(name), wish, stems: telling.length === 0 ? stems : telling };
  });
  const handoff: Offer = { name: 'a person', wish: { by: 'handoff', destinationId: null }, stems: [] };
  return handsOff ? [...named, handoff] : named;
}

/** What the last question of the agent was about, also where the caller has cut it off. */
function offerAsked(offers: readonly Offer[], history: readonly ChatMessage[]): Offer | null {
  const heard = plainWords(history.findLast(({ role }) => role === 'assistant')?.content ?? '');
  const whole = offers.find(({ name }) => plainWords(question(name)) === heard);
  if (whole) return whole;
  // Of a part of the question only what had been wished tells whom it was about.
  const [, before] = history.filter(({ role }) => role === 'user').toReversed();
  const wanted = wantedOf(offers, plainWords(before?.content ?? ''));
  const [only] = wanted;
  if (!only || wanted.length > 1) return null;
  return heard.startsWith('shall i put') && plainWords(question(only.name)).startsWith(heard) ? only : null;
}

/** More than one: it cannot be told which. */
function wantedOf(offers: readonly Offer[], said: string): readonly Offer[] {
  const stems = new Set(stemsOf(said));
  const requested = REQUEST.test(said) && !TO_THE_AGENT.test(said);
  const fitting = offers
    .map((offer) => ({ offer, matched: offer.stems.filter((stem) => hasStem(stems, stem)).length }))
    .filter(({ offer, matched }) => matched > 0 && matched / offer.stems.length >= MIN_SCORE)
    .filter(({ offer }) => requested || isBare(said, stems, offer));
  const best = fitting.toSorted((a, b) => b.matched - a.matched || a.offer.stems.length - b.offer.stems.length);
  const [first] = best;
  if (first) {
    const equals = best.filter(
      ({ offer, matched }) => matched === first.matched && offer.stems.length === first.offer.stems.length,
    );
    return equals.map(({ offer }) => offer);
  }
  const handoff = offers.find(({ wish }) => wish.by === 'handoff');
  return handoff && ((requested && PERSON.test(said)) || BARE_PERSON.test(said)) ? [handoff] : [];
}

/** Nothing but the name was said. */
function isBare(said: string, stems: ReadonlySet<string>, offer: Offer): boolean {
  if (said.split(' ').length > MAX_BARE_WORDS) return false;
  const own = new Set(offer.stems);
  return [...stems].every((stem) => GENERIC.has(stem) || hasStem(own, stem));
}

function choiceOf(offers: readonly Offer[]): string {
  const names = offers.slice(0, MAX_NAMES).map(({ name }) => name);
  const last = names.pop() ?? '';
  if (names.length === 0) return question(last);
  return `I can put you through to ${names.join(', ')} or ${last}. Which one would you like?`;
}
