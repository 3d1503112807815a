/** The endings a call's workflow decides by itself; every other one is its node's word. */
import type { CapacityReason } from '../../contract/capacity';
import type { CallEnding, HangupCause } from '../../contract/endings';
import type { AttemptOutcome } from './dial-attempt';

const bySystem = (disposition: CallEnding['disposition'], endReason: CallEnding['endReason']): CallEnding => ({
  disposition,
  endReason,
  endedBy: 'system',
  sip: null,
});

/** The first workflow task ran too late: nothing was dialled. */
export const EXPIRED: CallEnding = bySystem('expired', null);
/** The trunk's name has no address. */
export const UNRESOLVABLE: CallEnding = bySystem('trunk_unreachable', null);
/** An INVITE may have left, and no node knows of it. */
export const UNCERTAIN: CallEnding = bySystem('uncertain', null);
/** An inbound call that its node gave up without a word. */
export const SETUP_ABANDONED: CallEnding = bySystem('failed', 'setup_abandoned');
/** Its node lives and does not know the call. */
export const FORGOTTEN: CallEnding = bySystem('failed', 'error');
/** An INVITE was answered, and no node knows of it any more. */
export const LOST_ANSWERED: CallEnding = bySystem('answered', 'media_node_lost');
/** The node should have ended the call long ago. */
export const MAX_DURATION: HangupCause = { endReason: 'max_duration', endedBy: 'system' };
/** Cancelled in Temporal's UI or CLI. */
export const OPERATOR_HANGUP: HangupCause = { endReason: 'api_hangup', endedBy: 'system' };

/** What a dial that sent nothing was answered with. */
export type NotSentCode = Exclude<Extract<AttemptOutcome, { readonly sent: false }>['code'], 'ended'>;

const NOT_SENT: Readonly<Record<NotSentCode, string>> = {
  node_full: 'the media node carries as many calls as it may',
  node_draining: 'the media node is being stopped',
  unknown_agent: 'the media node knows no such agent',
  unknown_trunk: 'the media node knows no such outbound trunk',
  tombstoned: 'the call had been given up',
  too_late: 'the media node was too late to dial',
  no_port: 'the media node has no UDP port left for audio',
  no_capacity: 'there was no room for the call',
  store_unavailable: 'PostgreSQL did not answer',
  unreadable: 'the SECRETS_KEY of the media node does not open the call',
  no_node: 'no media node took the call',
  campaign_refused: 'the campaign did not want the call any more',
  held_elsewhere: 'the media node that the phone system has registered at did not take the call',
};

/** Nothing was dialled until the call's deadline. @param last why it was not at the last attempt; null: there was none */
export function notDialled(last: NotSentCode | null): CallEnding {
  const ending = bySystem('failed', null);
  // A code of another release has no words here.
  const reason = last === null ? undefined : NOT_SENT[last];
  return reason === undefined ? ending : { ...ending, sip: { sipCallId: null, finalStatus: null, reason, q850: null } };
}

/** There was no room for it as long as it was wanted. */
export function waitedInVain(reason: CapacityReason): CallEnding {
  const words = `there was no room for the call in time: ${reason.replaceAll('_', ' ')}`;
  return { ...EXPIRED, sip: { sipCallId: null, finalStatus: null, reason: words, q850: null } };
}

/** Its campaign does not want it any more: nothing was dialled, and nothing is by this call. */
export function refusedByCampaign(why: string): CallEnding {
  const reason = `not dialled by its campaign: ${why.replaceAll('_', ' ')}`;
  return { ...bySystem('canceled', null), sip: { sipCallId: null, finalStatus: null, reason, q850: null } };
}

/** Hung up before anything was dialled. */
export function canceledUndialled(request: HangupCause): CallEnding {
  return { disposition: 'canceled', endReason: request.endReason, endedBy: request.endedBy, sip: null };
}
