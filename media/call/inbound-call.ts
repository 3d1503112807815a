/**
 * A call that came in: routed from memory, its workflow started (nothing rings before that), 180, agent warm, 200,
 * conversation. Refusals before the workflow's start are no calls: they are counted and leave no event.
 */
import type { ConversationControl, CommandResult } from '../../contract/commands';
import { AGENT_ID_HEADER } from '../../contract/directory';
import type { CallDirectory, InboundRequest, InboundTrunkProfile, RoutingDecision } from '../../contract/directory';
import type { EndCause, EndedBy, EndReason } from '../../contract/endings';
import { readSessionDescription } from '../sdp/session-description';
import type { ReadDescription } from '../sdp/session-description';
import { warningHeader } from '../sdp/warning';
import type { RtpRemote } from '../rtp/rtp-session';
import type { DialogDelegate, InboundDialog } from '../sip/dialog';
import type { ReasonHeader } from '../sip/reason';
import type { LiveState } from './call-lifecycle';
import type { AdmissionRefusal, CallRegistry, RegisteredCall } from './call-registry';
import { faultOfOffer, WARNING_AGENT } from './call-sdp';
import { CallSession, type CallDeps } from './call-session';
import { reasonHeader } from './hangup-reason';
import type { LocalMedia } from './leg/leg-negotiation';
import { personaOf } from './persona';
import type { RecentAttempts } from './recent-attempts';
import type { ReferringPeer } from './replace/refer-target';
import type { HandedOver } from './transfer/handed-over';

/** A backstop behind the directory's own limit of 2 s. */
const START_DEADLINE_MS = 2500;
const RETRY_AFTER_SECONDS = 5;

/** A trunk that is full is busy here and on every other node; for the rest another node, or a later moment, may do. */
const REFUSALS: Readonly<Record<AdmissionRefusal | 'trunk_rate', Refusal>> = {
  node_full: { status: 503 },
  node_draining: { status: 503 },
  trunk_full: { status: 486, reason: 'Trunk Carries As Many Calls As It May' },
  trunk_rate: { status: 503, reason: 'Too Many Calls A Second', retryAfterSeconds: 1 },
};

interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

export interface InboundCallDeps extends CallDeps {
  readonly directory: CallDirectory;
  readonly registry: CallRegistry;
  readonly attempts: Pick<RecentAttempts, 'note'>;
}

export class InboundCall implements RegisteredCall {
  readonly #dialog: InboundDialog;
  readonly #deps: InboundCallDeps;
  /** As it was when the call came. Undefined where nobody authenticates. */
  readonly #trunk: InboundTrunkProfile | undefined;
  readonly #session: CallSession;
  /** Status of our final answer, null before it. */
  #finalStatus: number | null = null;
  #maxDurationSeconds = 0;
  #warm = false;
  #caller: HandedOver;
  #acked = false;
  /** Of the INVITE, as it was read; until it is answered. */
  #offer: ReadDescription | null = null;
  /** Where to send, known before the 200 when the 180 had our offer. */
  #earlyRemote: RtpRemote | null = null;

  /** Takes an authenticated INVITE to its end; never throws. */
  static receive(dialog: InboundDialog, deps: InboundCallDeps): void {
    const call = new InboundCall(dialog, deps);
    const refusal = call.#enter();
    if (refusal) {
      deps.observer.rejected(refusal);
      const { status, ...why } = REFUSALS[refusal];
      call.#note(status, refusal);
      dialog.reject(status, { retryAfterSeconds: RETRY_AFTER_SECONDS, ...why });
      return;
    }
    deps.registry.beginsSetUp(call);
    call.#listen();
    call.#setUp().catch((error: unknown) => call.#fail(error));
  }

  private constructor(dialog: InboundDialog, deps: InboundCallDeps) {
    this.#dialog = dialog;
    this.#deps = deps;
    this.#trunk = deps.directory.inboundTrunk(dialog.invite.identity.username);
    const { user: number, displayName: name, anonymous, privacy } = dialog.invite.caller;
    this.#caller = { number, name, withheld: anonymous || privacy.length > 0, calledNumber: null };
    this.#session = new CallSession({
      direction: 'inbound',
      sipCallId: dialog.sipCallId,
      deps,
      codecs: this.#trunk?.codecs,
      trunkId: dialog.invite.identity.trunkId,
      dtmfMode: this.#trunk?.dtmfMode,
      localMedia: () => this.#localMedia(),
      handedOver: () => this.#caller,
      hangUp: (endReason, endedBy) => this.hangUp(endReason, endedBy),
      peer: {
        hungUp: (reason) => this.#byeReceived(reason),
        gone: () => this.#gone(),
        pickedUp: () => undefined,
      },
      onEnded: () => deps.registry.leave(this),
    });
    this.#session.leg.dialog = dialog;
    this.#session.lifecycle.timings.mark('begin', dialog.invite.receivedAt);
  }

  get trunkId(): string {
    return this.#dialog.invite.identity.trunkId;
  }

  get liveState(): LiveState {
    return this.#session.lifecycle.liveState;
  }

  get lastSeq(): number {
    return this.#session.lifecycle.events.lastSeq;
  }

  control(commandId: string, control: ConversationControl): CommandResult {
    return this.#session.control(commandId, control);
  }

  hangUp(endReason: EndReason, endedBy: EndedBy): void {
    if (this.liveState === 'answered') {
      this.#end({ endReason, endedBy }, () => this.#session.leg.dialog?.bye(reasonHeader(endReason)));
    } else {
      this.#end({ endReason, endedBy }, () => this.#reject(endReason === 'api_hangup' ? 480 : 503));
    }
  }

  #enter(): AdmissionRefusal | 'trunk_rate' | null {
    const { registry } = this.#deps;
    const refusal = registry.enter(this, this.#trunk);
    if (refusal) return refusal;
    if (registry.pace.arrives(this.trunkId, this.#trunk?.maxCallsPerSecond ?? null)) return null;
    registry.leave(this);
    return 'trunk_rate';
  }

  #listen(): void {
    const session = this.#session;
    const trunk = this.#trunk;
    const dialog = this.#dialog;
    // Without a trunk nobody vouches for it.
    const peerOf =
      trunk === undefined
        ? null
        : (): ReferringPeer => ({ at: dialog.invite.peer, contact: dialog.remoteTarget, hosts: [], limits: trunk });
    const own: DialogDelegate = {
      onCancel: () => {
        this.#finalStatus = 487;
        this.#end({ endReason: null, endedBy: 'caller' }, () => undefined);
      },
      onAck: (answer) => this.#acknowledged(answer),
      onPrack: (answer) => this.#earlyAnswered(answer),
      onClosed: (cause) => {
        if (cause === 'prack_timeout') this.#finalStatus = 504;
        session.peerLeft(() => this.#gone());
      },
    };
    // Spread and overwritten they would cost five times as much, for each call.
    dialog.delegate = Object.assign(session.leg.dialogDelegate(), session.peerDelegate(peerOf), own);
  }

  async #setUp(): Promise<void> {
    const { directory, clock } = this.#deps;
    const { lifecycle, media, leg } = this.#session;
    const { invite } = this.#dialog;
    const codecs = this.#trunk?.codecs ?? null;
    this.#offer = invite.offer === null ? null : readSessionDescription(invite.offer);
    const fault = this.#offer === null ? null : faultOfOffer(this.#offer, { ...this.#localMedia(), codecs });
    if (fault) {
      this.#refuse('media_incompatible', 488, { warning: warningHeader(fault, WARNING_AGENT), noted: `sdp_${fault}` });
      return;
    }
    const request = requestOf(this.#dialog);
    const decision = directory.routeInbound(request);
    lifecycle.timings.mark('routed', clock.now());
    if (!decision.ok) {
      this.#refuse(decision.status === 404 ? 'no_request_user' : 'no_agent', decision.status);
      return;
    }
    const { rule, agent, steps, callerNumber, dialedNumber } = decision;
    this.#caller = { ...this.#caller, number: callerNumber, calledNumber: dialedNumber };
    lifecycle.events.report({ type: 'routed', rule, agentId: agent.id, steps });
    // The port opens while the workflow starts.
    const { localAddress } = invite;
    const { mediaTimeoutSeconds } = decision;
    const anySource = this.#trunk?.mediaSource === 'any';
    const port = leg.open({ localAddress, mediaTimeoutSeconds, anySource }).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    await this.#startWorkflow(request, decision);
    const portFailure = await port;
    if (!lifecycle.isLive || lifecycle.callId === null) return;
    if (portFailure) {
      lifecycle.logger.error({ err: portFailure.error }, 'no media for an inbound call');
      this.#end({ endReason: 'error', endedBy: 'system' }, () => this.#reject(503));
      return;
    }
    this.#maxDurationSeconds = decision.agent.maxCallDurationSeconds;
    this.#dialog.ring(() => leg.negotiation.makeOffer());
    this.#session.ringing(180);
    await media.warm(personaOf(lifecycle.callId, decision.agent));
    lifecycle.timings.mark('warm', clock.now());
    this.#warm = true;
    this.#deps.registry.isSetUp(this);
    if (!leg.negotiation.offerOutstanding) this.#answer();
  }

  /**
   * Resolves when the start is known. A caller's CANCEL, our deadline or a drain may have ended the call meanwhile:
   * then a started workflow still gets its `ended`, and one that was not started leaves nothing.
   */
  async #startWorkflow(request: InboundRequest, decision: RoutingDecision & { ok: true }): Promise<void> {
    const { directory, registry, clock } = this.#deps;
    const { lifecycle } = this.#session;
    lifecycle.timers.arm('start', START_DEADLINE_MS, () => {
      this.#deps.observer.rejected('start_unavailable');
      this.#end({ endReason: 'setup_abandoned', endedBy: 'system' }, () => this.#reject(503));
    });
    const started = await directory.startInbound(request, decision).catch((error: unknown) => {
      lifecycle.logger.error({ err: error }, 'start of an inbound call failed');
      return { ok: false as const, reason: 'unavailable' as const };
    });
    lifecycle.timers.clear('start');
    if (!started.ok) {
      if (lifecycle.isLive) this.#refuse(`start_${started.reason}`, 503);
      else lifecycle.discard();
      return;
    }
    // The id derives from Call-ID, From-tag and CSeq: one that is live here is the same request by another way.
    if (!registry.identify(this, started.callId)) {
      if (lifecycle.isLive) this.#refuse('merged', 482);
      else lifecycle.discard();
      return;
    }
    lifecycle.timings.mark('workflow_started', clock.now());
    lifecycle.identify(started.callId, request.orgId);
    if (registry.isTombstoned(started.callId)) this.hangUp('workflow_lost', 'system');
  }

  #answer(): void {
    const session = this.#session;
    if (!session.lifecycle.isLive) return;
    const offer = this.#offer;
    this.#offer = null;
    if (this.#earlyRemote) {
      this.#sendAnswer(null);
      session.media.start(this.#earlyRemote);
    } else if (offer === null) {
      this.#sendAnswer(session.leg.negotiation.makeOffer());
    } else {
      const answer = session.leg.negotiation.answer(offer);
      if (!answer) throw new Error('an offer that was usable is not any more');
      this.#sendAnswer(answer.sdp);
      session.media.start(answer.remote);
    }
  }

  /** PRACK of a 180 that had our offer; the 200 waits for it. */
  #earlyAnswered(answer: string | null): void {
    const session = this.#session;
    if (!session.leg.negotiation.offerOutstanding || !session.lifecycle.isLive) return;
    this.#earlyRemote = session.leg.negotiation.takeAnswer(answer);
    if (!this.#earlyRemote) this.#end({ endReason: 'error', endedBy: 'system' }, () => this.#reject(488));
    else if (this.#warm) this.#answer();
  }

  #localMedia(): LocalMedia {
    const { localAddress, peer } = this.#dialog.invite;
    return { localAddress, signallingAddress: peer.address };
  }

  #note(status: number, why: string): void {
    this.#deps.attempts.note(this.trunkId, { source: this.#dialog.invite.peer.address, status, why });
  }

  #sendAnswer(sdp: string | null): void {
    this.#finalStatus = 200;
    this.#note(200, 'answered');
    this.#dialog.answer(sdp);
    this.#session.answered(this.#maxDurationSeconds);
  }

  #acknowledged(answer: string | null): void {
    const session = this.#session;
    const first = !this.#acked;
    this.#acked = true;
    session.lifecycle.timings.mark('ack', this.#deps.clock.now());
    if (!session.leg.negotiation.offerOutstanding || session.lifecycle.state !== 'answered') return;
    if (!first) {
      session.leg.reofferAnswered(answer);
      return;
    }
    const remote = session.leg.negotiation.takeAnswer(answer);
    // No answer to our offer (RFC 3261 §13.2.1 has it in the ACK): nothing can be heard.
    if (remote) session.media.start(remote);
    else this.hangUp('error', 'system');
  }

  #byeReceived(reason: ReasonHeader | null): void {
    const endReason = this.#session.byeReason('caller_hangup');
    this.#end({ endReason, endedBy: 'caller' }, () => undefined, reason);
  }

  #gone(): void {
    this.#end({ endReason: 'error', endedBy: 'system' }, () => undefined);
    this.#session.lifecycle.sawLastMessage();
  }

  #end(cause: EndCause, hangUp: () => void, peerReason: ReasonHeader | null = null): void {
    const { lifecycle } = this.#session;
    if (!lifecycle.end(hangUp)) return;
    const byCaller = cause.endedBy === 'caller';
    lifecycle.settle({
      disposition: this.liveState === 'answered' ? 'answered' : dispositionBeforeAnswer(cause.endedBy),
      endReason: byCaller && this.liveState !== 'answered' ? null : cause.endReason,
      endedBy: cause.endedBy,
      sip: this.#session.outcome(this.#finalStatus, null, peerReason),
    });
  }

  #reject(status: number): void {
    this.#finalStatus = status;
    this.#dialog.reject(status, status === 503 ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {});
  }

  /** No call comes of this INVITE. */
  #refuse(
    why: string,
    status: number,
    { noted = why, ...options }: { readonly warning?: string; readonly noted?: string } = {},
  ): void {
    this.#deps.observer.rejected(why);
    this.#note(status, noted);
    this.#session.lifecycle.logger.info({ status, why }, 'inbound call refused');
    try {
      this.#dialog.reject(status, status === 503 ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : options);
    } finally {
      this.#session.lifecycle.discard();
    }
  }

  #fail(error: unknown): void {
    const { lifecycle } = this.#session;
    lifecycle.logger.error({ err: error }, 'inbound call failed');
    if (lifecycle.callId !== null) this.hangUp('error', 'system');
    else if (lifecycle.isLive) this.#refuse('error', 500);
    else lifecycle.discard();
  }
}

function dispositionBeforeAnswer(endedBy: EndedBy): 'canceled' | 'failed' {
  return endedBy === 'caller' || endedBy === 'api' ? 'canceled' : 'failed';
}

function requestOf(dialog: InboundDialog): InboundRequest {
  const { invite } = dialog;
  return {
    trunkId: invite.identity.trunkId,
    orgId: invite.identity.orgId,
    sipCallId: invite.sipCallId,
    fromTag: invite.fromTag,
    cseq: invite.cseq,
    dialedUser: invite.requestUser,
    callerUser: invite.caller.user,
    privacy: invite.caller.privacy,
    agentIdHeader: invite.headers.get(AGENT_ID_HEADER.toLowerCase())?.[0] ?? null,
  };
}
