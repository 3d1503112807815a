/**
 * The responder that needs no key: deterministic, answers from the agent's instructions, says honestly when it does not
 * know, hands over by the names of the agent's destinations, and recognises a goodbye.
 */
import type { AgentPersona } from '../agent-session';
import { Knowledge } from './knowledge';
import { plainWords } from './plain-words';
import type { ChatMessage, Responder, ResponderEvent, ResponderRequest } from './responder';
import { answerTransfer } from './transfer-requests';

const UNKNOWN_ANSWER = "I'm sorry, I don't know that. Is there anything else I can help you with?";
const FAREWELL = 'Thank you for calling. Goodbye!';

/** Longer sentences that happen to end in "bye" say something else first. */
const MAX_GOODBYE_WORDS = 9;

interface Rule {
  readonly matches: (said: string, request: Request) => boolean;
  readonly answer: (request: Request) => string;
  readonly endsCall?: boolean;
}

interface Request {
  readonly said: string;
  readonly persona: AgentPersona;
  readonly history: readonly ChatMessage[];
  readonly knowledge: Knowledge;
}

const RULES: readonly Rule[] = [
  {
    matches: (said) => said.startsWith('[pressed'),
    answer: ({ said }) => `You pressed ${said.replace(/^\[pressed |\]$/g, '')}. How can I help you?`,
  },
  { matches: isGoodbye, answer: () => FAREWELL, endsCall: true },
  {
    matches: (said) =>
      /\b(?:what(?:'s| is) your name|who are you|who am i (?:speaking|talking) (?:to|with))\b/.test(said),
    answer: ({ persona }) => `My name is ${persona.agentName}.`,
  },
  {
    matches: (said) =>
      /\b(?:robot|computer|human|real person|machine|an? (?:bot|ai))\b/.test(said) && /\byou\b/.test(said),
    answer: ({ persona }) => `I'm ${persona.agentName}, an automated assistant.`,
  },
  {
    matches: (said) => /\b(?:say (?:that|it) again|repeat (?:that|it)|pardon|what did you say|come again)\b/.test(said),
    answer: ({ history }) => history.findLast((message) => message.role === 'assistant')?.content ?? UNKNOWN_ANSWER,
  },
  {
    matches: (said) => /\b(?:are you (?:still )?there|can you hear me)\b/.test(said),
    answer: () => "Yes, I'm here. How can I help you?",
  },
  {
    matches: (said) => /^(?:please )?(?:wait|hold on|one (?:moment|second|minute)|just a|give me a)\b/.test(said),
    answer: () => 'Of course, take your time.',
  },
  {
    matches: (_said, request) => request.knowledge.answer(request.said) !== null,
    answer: ({ knowledge, said }) => knowledge.answer(said) ?? UNKNOWN_ANSWER,
  },
  {
    matches: (said) => /\b(?:what (?:can|do) you do|how can you help|what can i ask|can you help|help me)\b/.test(said),
    answer: ({ persona }) =>
      `I'm ${persona.agentName}. I can answer questions from what I have been told. Just ask me, and say goodbye when you are done.`,
  },
  {
    matches: (said) =>
      /^(?:ok(?:ay)?,? |great,? |alright,? )?(?:thanks|thank you)(?: very much| so much| a lot)?$/.test(said),
    answer: () => "You're welcome. Is there anything else I can help you with?",
  },
  {
    matches: (said) => /^(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there)?$/.test(said),
    answer: () => 'Hello! How can I help you?',
  },
  {
    matches: (said) => /^(?:yes|yeah|yep|sure|ok|okay|yes please)$/.test(said),
    answer: () => 'What would you like to know?',
  },
];

export class BuiltinResponder implements Responder {
  readonly name = 'built-in';
  readonly #knowledge = new WeakMap<AgentPersona, Knowledge>();

  async *respond(request: ResponderRequest): AsyncGenerator<ResponderEvent> {
    request.signal.throwIfAborted();
    const { persona, history } = request;
    const said = plainWords(history.findLast((message) => message.role === 'user')?.content ?? '');
    const transfer = answerTransfer(said, persona, history);
    if (transfer) {
      yield { type: 'text', delta: transfer.text };
      if (transfer.wish) yield { type: 'transfer', wish: transfer.wish };
      return;
    }
    const full: Request = { said, persona, history, knowledge: this.#knowledgeOf(persona) };
    const rule = RULES.find((candidate) => candidate.matches(said, full));
    yield { type: 'text', delta: rule?.answer(full) ?? UNKNOWN_ANSWER };
    if (rule?.endsCall) yield { type: 'end_call' };
  }

  #knowledgeOf(persona: AgentPersona): Knowledge {
    const known = this.#knowledge.get(persona) ?? new Knowledge(persona.instructions);
    this.#knowledge.set(persona, known);
    return known;
  }
}

function isGoodbye(said: string, { history }: Request): boolean {
  if (said.split(' ').length > MAX_GOODBYE_WORDS) return false;
  if (/\b(?:good ?bye?|bye|see you|have a (?:nice|good|great) (?:day|one|evening|weekend)|hang up)\b/.test(said))
    return true;
  if (/\b(?:that's|that is|that will be|that'll be) (?:all|it|everything)\b|\bnothing else\b/.test(said)) return true;
  const asked = history.findLast((message) => message.role === 'assistant')?.content ?? '';
  return (
    /anything else/i.test(asked) &&
    /^(?:no|nope|no thanks|no thank you|not really|nothing)(?: thanks| thank you)?$/.test(said)
  );
}
