/** Transfers as tools of a language model: it chooses among the agent's destinations by name, and names nothing else. */
import { z } from 'zod';
import type { TransferWish } from '../../../contract/transfers';
import type { AgentPersona } from '../agent-session';
import { spokenName } from './plain-words';
import type { ResponderEvent } from './responder';

const TRANSFER_TOOL = 'transfer_call';
const HANDOFF_TOOL = 'handoff';
/** What a model is offered, in the order of assignment. */
const MAX_DESTINATIONS = 100;
/** One name in an object. */
const MAX_ARGUMENT_CHARACTERS = 1_000;
const NOT_THERE = "I'm sorry, I cannot put you through there.";
const WHEN =
  'Use it only when the caller wishes it and has said yes to your question whether to. Say in the same message, in one ' +
  'short sentence, that you put the caller through.';

const transferArguments = z.object({ destination: z.string() });

/** As a streamed answer has it: only the first of a call names it, the rest spells out its arguments. */
export interface ToolCallDelta {
  readonly index: number;
  readonly name: string | null;
  readonly arguments: string;
}

/** Names are whatever somebody has typed: each in one line of bounded length, and no two alike. */
function destinationsByName({ destinations = [] }: AgentPersona): Map<string, string> {
  const byName = new Map<string, string>();
  for (const { id, name } of destinations.slice(0, MAX_DESTINATIONS)) {
    const line = spokenName(name);
    let unique = line;
    for (let n = 2; byName.has(unique); n++) unique = `${line} (${n})`;
    byName.set(unique, id);
  }
  return byName;
}

export function transferTools(persona: AgentPersona): readonly object[] {
  const names = [...destinationsByName(persona).keys()];
  const transfer = tool(TRANSFER_TOOL, `Hands the caller over to one of these destinations. ${WHEN}`, {
    destination: { type: 'string', enum: names },
  });
  const handoff = tool(HANDOFF_TOOL, `Hands the caller over to a person. ${WHEN}`, {});
  return [...(names.length > 0 ? [transfer] : []), ...(persona.handsOff === true ? [handoff] : [])];
}

function tool(name: string, description: string, properties: Readonly<Record<string, object>>): object {
  const required = Object.keys(properties);
  const parameters = { type: 'object', properties, required, additionalProperties: false };
  return { type: 'function', function: { name, description, parameters } };
}

/** The first of them in one answer, put together from its pieces; nobody is handed over twice. */
export class TransferCalls {
  readonly #persona: AgentPersona;
  #call: { readonly index: number; readonly name: string; arguments: string } | null = null;

  constructor(persona: AgentPersona) {
    this.#persona = persona;
  }

  take({ index, name, arguments: piece }: ToolCallDelta): void {
    const call = this.#call;
    if (call) {
      if (call.index === index && call.arguments.length <= MAX_ARGUMENT_CHARACTERS) call.arguments += piece;
    } else if (name === TRANSFER_TOOL || name === HANDOFF_TOOL) this.#call = { index, name, arguments: piece };
  }

  /** When all has come: what it wishes, or that it cannot be. */
  events(): readonly ResponderEvent[] {
    if (!this.#call) return [];
    const wish = this.#wishOf(this.#call);
    return wish ? [{ type: 'transfer', wish }] : [{ type: 'text', delta: ` ${NOT_THERE}` }];
  }

  #wishOf(call: { readonly name: string; readonly arguments: string }): TransferWish | null {
    if (call.name === HANDOFF_TOOL) {
      return this.#persona.handsOff === true ? { by: 'handoff', destinationId: null } : null;
    }
    const given = transferArguments.safeParse(jsonOf(call.arguments));
    const id = given.success ? destinationsByName(this.#persona).get(given.data.destination) : undefined;
    return id === undefined ? null : { by: 'agent', destinationId: id };
  }
}

function jsonOf(text: string): unknown {
  if (text.length > MAX_ARGUMENT_CHARACTERS) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // a model writes what it likes
  }
}
