/** What decides what the agent says: a conversation in, text out as it is written. */
import type { TransferWish } from '../../../contract/transfers';
import type { AgentPersona } from '../agent-session';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export type ResponderEvent =
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'end_call' }
  /** Whoever is called is not to be called again: what is said of it is not the responder's to say. */
  | { readonly type: 'opt_out' }
  /** After what is said in the same answer the caller is handed over. */
  | { readonly type: 'transfer'; readonly wish: TransferWish };

export interface ResponderRequest {
  readonly persona: AgentPersona;
  readonly history: readonly ChatMessage[];
  readonly signal: AbortSignal;
}

export interface Responder {
  readonly name: string;
  respond(request: ResponderRequest): AsyncIterable<ResponderEvent>;
}
