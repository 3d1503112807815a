/**
 * The one file that knows what is internal to sip.js: what it keeps private or protected and we rely on, and constants of it
 * that are ours. Each of them has a test that fails when an upgrade moves it.
 */
import { ClientTransaction, Dialog, Timers, TransportError } from 'sip.js/lib/core/index.js';

import { makeBranch } from './message/branch';
import { WireUri } from './sipjs-messages';
import { TIMER_D_MS, TIMER_I_MS, TIMER_J_MS, TIMER_K_MS } from './timers';

import type {
  InviteUserAgentServer,
  OutgoingRequestMessage,
  OutgoingResponse as StackResponse,
  ResponseOptions as StackResponseOptions,
  SessionDialog,
  URI,
} from 'sip.js/lib/core/index.js';
import type { OutgoingRequest } from './message/outgoing-request';
import type { OutgoingResponse } from './message/serialiser';
import type { CoreRequest, CoreResponse } from './sipjs-messages';

// Zero in sip.js (RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2).
Object.assign(Timers, { TIMER_D: TIMER_D_MS, TIMER_I: TIMER_I_MS, TIMER_J: TIMER_J_MS, TIMER_K: TIMER_K_MS });

/** sip.js has ten million values. A CANCEL keeps its INVITE's branch. */
(ClientTransaction as unknown as { makeId: (request: OutgoingRequestMessage) => string }).makeId = (request) =>
  (request.method === 'CANCEL' ? request.branch : undefined) ?? makeBranch(request.fromTag);

export interface TransactionInternals {
  readonly user: { receiveResponse?: (response: CoreResponse) => void };
  /** Of an INVITE. */
  readonly lastFinalResponse?: string;
  /** Of another request. */
  readonly lastResponse?: string;
  send(text: string): Promise<void>;
  onTransportError(error: Error): void;
  timerB(): void;
  /** Acknowledges a refusal. */
  ack(response: CoreResponse): void;
}

export interface ClientInternals {
  message: OutgoingRequestMessage;
  /** True: the response is the answer. False: the request was sent again. */
  authenticationGuard(response: unknown): boolean;
  /** Begins a transaction for `message`. */
  init(): void;
}

export interface ServerInternals {
  toTag: string;
  readonly rejectable: boolean;
  readonly earlyDialog?: SessionDialog;
  reply(options: StackResponseOptions): StackResponse;
}

interface DialogInternals {
  readonly dialogState: { remoteTarget: URI };
  invite2xxTimer?: NodeJS.Timeout;
  sequenceGuard(message: CoreRequest): boolean;
}

export const ofTransaction = (transaction: object): TransactionInternals => transaction as TransactionInternals;
export const ofClient = (client: object): ClientInternals => client as ClientInternals;
export const ofServer = (server: object): ServerInternals => server as ServerInternals;
const ofDialog = (dialog: object): DialogInternals => dialog as DialogInternals;

/** A lost datagram or connection; whoever waits for the answer learns of it by its own timer. */
export const ignoreLostMessage = (): void => {};

/** What sip.js takes for a message's text: it hands that on, or keeps it to hand it on again, and never looks inside. */
export const asText = (message: OutgoingRequest | OutgoingResponse): string => message as unknown as string;

/** The final answer of a server transaction, once it has one. */
export function lastResponseOf(transaction: object): OutgoingResponse | undefined {
  const { lastFinalResponse, lastResponse } = ofTransaction(transaction);
  return (lastFinalResponse ?? lastResponse) as unknown as OutgoingResponse | undefined;
}

export function earlyDialogOf(server: InviteUserAgentServer): SessionDialog | undefined {
  return ofServer(server).earlyDialog;
}

export function isRejectable(server: InviteUserAgentServer): boolean {
  return ofServer(server).rejectable;
}

/** The very bytes of an answer once more, past the state of its transaction. */
export function repeatResponse(server: InviteUserAgentServer, text: string): void {
  ofTransaction(server.transaction).send(text).catch(ignoreLostMessage);
}

/** As if the transport had refused the message (RFC 3261 §17.1.4). */
export function failTransaction(transaction: ClientTransaction, error: Error): void {
  ofTransaction(transaction).onTransportError(new TransportError(error.message));
}

/** Timer B before its time. */
export function expireTransaction(transaction: ClientTransaction): void {
  ofTransaction(transaction).timerB();
}

/** Takes note of a request's CSeq in the dialog; false when it was out of order, which is answered then. */
export function acceptSequence(dialog: SessionDialog, message: CoreRequest): boolean {
  if (!ofDialog(dialog).sequenceGuard(message)) return false;
  Dialog.prototype.receiveRequest.call(dialog, message);
  return true;
}

/**
 * A re-INVITE says that our 2xx has come, even when its ACK has not. sip.js has one timer for the repetitions of every
 * 2xx of a dialog, and those of the first would go on for ever once another's begin.
 */
export function stopRepeating2xx(dialog: SessionDialog): void {
  clearTimeout(ofDialog(dialog).invite2xxTimer);
}

export function refreshTarget(dialog: SessionDialog, uri: string): void {
  ofDialog(dialog).dialogState.remoteTarget = new WireUri(uri);
}
