/** Requests of the peer in a dialog that sip.js would not take, or not as we need it. */
import {
  NonInviteServerTransaction,
  SignalingState,
  TransactionState,
  UserAgentServer,
} from 'sip.js/lib/core/index.js';

import { contactUri } from './message/validation';
import { retryAfterLine } from './open-exchange';
import { acceptSequence, refreshTarget } from './sipjs-internals';
import { sessionBody } from './sipjs-messages';

import type { SessionDialog } from 'sip.js/lib/core/index.js';
import type { CoreAnswer, CoreEvents } from './core-events';
import type { SipRequest } from './message/message';
import type { DialogUserAgentCore } from './sipjs-adapter';
import type { CoreRequest } from './sipjs-messages';

/** sip.js cannot read Event, and answers for whoever decides on a REFER. */
export function receiveSubscription(core: DialogUserAgentCore, events: CoreEvents, message: CoreRequest): void {
  const opened = receiveInDialog(core, message);
  if (opened === null) return;
  const { server } = opened;
  const { transaction } = server;
  const answer = ({ status, reason, headers = [] }: CoreAnswer): void => {
    // Once only, and not after the end of the transaction.
    if (transaction.state !== TransactionState.Trying || core.disposed) return;
    const extraHeaders = [...headers];
    if (status < 300) server.accept({ statusCode: status, extraHeaders });
    else server.reject({ statusCode: status, extraHeaders, ...(reason === undefined ? {} : { reasonPhrase: reason }) });
  };
  if (events.onSubscription === undefined) answer({ status: message.method === 'REFER' ? 603 : 481 });
  else events.onSubscription(message.source, answer);
}

/** RFC 3311 §5.2; sip.js does not know the method. */
export function receiveUpdate(core: DialogUserAgentCore, events: CoreEvents, message: CoreRequest): void {
  const opened = receiveInDialog(core, message);
  if (opened === null) return;
  const { dialog, server } = opened;
  const offer = message.body !== '';
  if (offer && dialog.signalingState === SignalingState.HaveRemoteOffer) {
    server.reject({ statusCode: 500, extraHeaders: [retryAfterLine()] });
    return;
  }
  if (offer && dialog.signalingState !== SignalingState.Stable) {
    server.reject({ statusCode: 491 });
    return;
  }
  const answer = refresh(events, message.source);
  if (answer.status >= 300) {
    server.reject({ statusCode: answer.status, extraHeaders: [...(answer.headers ?? [])] });
    return;
  }
  const contact = contactUri(message.source);
  if (contact !== null) refreshTarget(dialog, contact);
  const body = answer.sdp === undefined ? {} : { body: sessionBody(answer.sdp) };
  server.accept({ statusCode: 200, extraHeaders: [...(answer.headers ?? [])], ...body });
}

/** RFC 3262 §3: one that acknowledges nothing of ours gets 481. */
export function receivePrack(core: DialogUserAgentCore, events: CoreEvents, message: CoreRequest): void {
  const opened = receiveInDialog(core, message);
  if (opened === null) return;
  const { dialog, server } = opened;
  if (events.acknowledges?.(message.source) !== true) {
    server.reject({ statusCode: 481 });
    return;
  }
  if (dialog.signalingState === SignalingState.HaveLocalOffer) dialog.signalingStateTransition(message);
  server.accept({ statusCode: 200 });
  events.onPrack?.(message.source);
}

/** Answer to an offer of the peer, or to none. */
export function refresh(events: CoreEvents, request: SipRequest): CoreAnswer {
  return events.onRefresh?.(request) ?? { status: 488 };
}

export function dialogOf(
  core: DialogUserAgentCore,
  { callId, toTag, fromTag }: CoreRequest,
): SessionDialog | undefined {
  return core.dialogs.get(callId + toTag + fromTag) as SessionDialog | undefined;
}

/** The server of a request that sip.js would not take, or not take as we need it; null when it was answered here. */
function receiveInDialog(
  core: DialogUserAgentCore,
  message: CoreRequest,
): { readonly dialog: SessionDialog; readonly server: UserAgentServer } | null {
  const repeated = core.userAgentServers.get(message.viaBranch);
  if (repeated !== undefined) {
    (repeated.transaction as NonInviteServerTransaction).receiveRequest(message);
    return null;
  }
  const dialog = dialogOf(core, message);
  if (dialog === undefined) {
    core.replyStateless(message, { statusCode: 481 });
    return null;
  }
  if (!acceptSequence(dialog, message)) return null;
  return { dialog, server: new UserAgentServer(NonInviteServerTransaction, core, message) };
}
