/** What a media node reports of its calls. Ids are opaque; nothing here names Temporal, a database or HTTP. */
import type { RoutingRule, RoutingStep } from './directory';
import type { CommandEffect } from './commands';
import type { CallEnding, CallMetrics } from './endings';
import type { SuperviseMode, SupervisionEnd, WhisperOutcome } from './supervision';
import type { TransferWish } from './transfers';

export interface TranscriptTurn {
  /** 0-based, without gaps, within one call. */
  readonly index: number;
  readonly speaker: 'agent' | 'caller';
  /** What was said; for an interrupted agent only the part the caller heard. */
  readonly text: string;
  /** Milliseconds since the answer. */
  readonly startMs: number;
  readonly endMs: number;
  /** Milliseconds since the answer at which the caller cut the agent off, else null. */
  readonly interruptedAtMs: number | null;
}

/** One message of the SIP ladder; never with credentials or bodies. */
export interface SipLadderEntry {
  readonly direction: 'in' | 'out';
  readonly method: string;
  readonly status: number | null;
  readonly reason: string | null;
  readonly cseq: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** Of which further leg of the call; absent for its first. */
  readonly leg?: string;
}

/** By what somebody who was asked has answered; `hangup`, `silence`: by no word. */
export type ConsultAnswer = 'key' | 'word' | 'hangup' | 'silence';

/** `agent`: by what the agent has understood. */
export type OptOutWay = 'word' | 'key' | 'agent';

interface EventBase {
  readonly callId: string;
  readonly orgId: string;
  /** Node's counter for this call: 1, 2, 3 … without gaps. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

type ObservedEvent = EventBase &
  (
    | { readonly type: 'sip'; readonly entry: SipLadderEntry }
    | {
        readonly type: 'routed';
        readonly rule: RoutingRule;
        readonly agentId: string;
        readonly steps: readonly RoutingStep[];
      }
    | { readonly type: 'dial_sent'; readonly attemptId: string; readonly sipCallId: string }
    /** `target`: an address and its transport, or the name that has none. */
    | { readonly type: 'target_unreachable'; readonly target: string; readonly reason: string }
    | { readonly type: 'ringing'; readonly status: number }
    | { readonly type: 'turn'; readonly turn: TranscriptTurn }
    | { readonly type: 'dtmf'; readonly count: number }
    /** Whoever is called by a campaign is not to be called again. With this event their number comes onto the list. */
    | { readonly type: 'opted_out'; readonly by: OptOutWay }
    /** Who has put the call on hold, from now on; a call begins with neither. */
    | { readonly type: 'hold'; readonly ours: boolean; readonly theirs: boolean }
    /**
     * Another dialog has taken the place of a leg's (RFC 3891): the same conversation with another phone. `leg`: of which
     * further leg; absent for the call's first. `sipCallId`: of the dialog that has come.
     */
    | {
        readonly type: 'leg_replaced';
        readonly by: 'replaces' | 'refer';
        readonly sipCallId: string;
        readonly leg?: string;
      }
    /** The peer (`leg`: of which further leg) wanted us to call somebody else, and got this answer. `why`: what there was against it. */
    | {
        readonly type: 'peer_refer_refused';
        readonly sipStatus: number;
        readonly why: string;
        readonly leg?: string;
      }
    /**
     * A consult: somebody was reached, and asked, and has decided; `by` what. `handed_over`: the phone system of both has
     * joined them by itself, and we are out of it.
     */
    | {
        readonly type: 'consult';
        readonly legId: string;
        readonly step: 'answered' | 'asked' | 'accepted' | 'declined' | 'handed_over';
        readonly by: ConsultAnswer | null;
      }
    /** Somebody listens in, and whoever does in another mode than before. */
    | {
        readonly type: 'supervisor_joined' | 'supervisor_mode_changed';
        readonly legId: string;
        readonly mode: SuperviseMode;
      }
    | {
        readonly type: 'supervisor_left';
        readonly legId: string;
        readonly mode: SuperviseMode;
        readonly why: SupervisionEnd;
      }
    /** What they said to the agent, once it was understood, or was not. */
    | { readonly type: 'supervisor_whispered'; readonly legId: string; readonly outcome: WhisperOutcome }
    | { readonly type: 'media_stats'; readonly stats: Readonly<Record<string, number | string | null>> }
    | { readonly type: 'timings'; readonly timings: Readonly<Record<string, number | null>> }
    /** Packets come and none of them is the peer's: a wrong address in SDP, most likely. Once in a call. */
    | {
        readonly type: 'warning';
        readonly warning: 'only_foreign_packets';
        readonly packetsForeign: number;
        readonly packetsReceived: 0;
      }
    | { readonly type: 'note'; readonly note: string }
  );

/** Events that also go to the call's workflow as signals, re-sent in order until acknowledged. */
export type StateEvent = EventBase &
  (
    | { readonly type: 'answered'; readonly sipCallId: string; readonly postDialDelayMs: number | null }
    /**
     * The peer wants us to call somebody of its own, who is to go on with the call (RFC 3515). `accepted`: it was told so,
     * and the call's workflow decides. Then `sipStatus` is what the peer is told of the new call: `done`, it has taken the
     * place of the peer's; `failed`, and all is as it was. `leg`: of which further leg it is the peer.
     */
    | {
        readonly type: 'peer_referred';
        readonly referId: string;
        readonly outcome: 'accepted' | 'done' | 'failed';
        readonly sipStatus: number;
        readonly leg?: string;
      }
    /** What a command of the API came to. */
    | ({ readonly type: 'command'; readonly commandId: string; readonly verb: string } & CommandEffect)
    /** The agent, or the caller by a key, wishes one: whether it may be is decided outside. The id is the transfer's. */
    | ({ readonly type: 'transfer_wanted'; readonly transferId: string } & TransferWish)
    | { readonly type: 'ended'; readonly ending: CallEnding; readonly metrics: CallMetrics }
  );

export type CallEvent = ObservedEvent | StateEvent;

const STATE_EVENTS: ReadonlySet<string> = new Set<StateEvent['type']>([
  'answered',
  'peer_referred',
  'command',
  'transfer_wanted',
  'ended',
]);

export function isStateEvent(event: CallEvent): event is StateEvent {
  return STATE_EVENTS.has(event.type);
}

/** Where a node reports what happens. `report` never throws and never blocks; the sink keeps what it cannot store yet. */
export interface CallEvents {
  report(event: CallEvent): void;
  /** Resolves with true when every event of the call reported so far is stored, or with false after `timeoutMs`. */
  flush(callId: string, timeoutMs: number): Promise<boolean>;
}
