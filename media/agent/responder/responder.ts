/** What decides what the agent says: a conversation in, text out as it is written. */
import type { AgentPersona } from '../agent-session';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export type ResponderEvent = { readonly type: 'text'; readonly delta: string } | { readonly type: 'end_call' };

export interface ResponderRequest {
  readonly persona: AgentPersona;
  readonly history: readonly ChatMessage[];
  readonly signal: AbortSignal;
}

export interface Responder {
  readonly name: string;
  respond(request: ResponderRequest): AsyncIterable<ResponderEvent>;
}
