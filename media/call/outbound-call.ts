/**
 * A call that we place: one attempt, one SIP Call-ID, at most one INVITE. `dial` resolves when the INVITE is at the
 * socket, or will never be; everything later is an event. While it rings the agent prepares its first words.
 */
import type {
  ConversationControl,
  CommandResult,
  DialCommand,
  DialOptions,
  DialRefusal,
  DialResult,
} from '../../contract/commands';
import type { OutboundTrunkProfile } from '../../contract/directory';
import type { SipBinding } from '../../contract/registration';
import type { CallEnding, EndCause, EndedBy, EndReason, SipOutcome } from '../../contract/endings';
import type { AgentPersona } from '../agent/agent-session';
import type { OutboundDialog } from '../sip/dialog';
import type { SipEndpoint } from '../sip/endpoint';
import { NOT_REGISTERED_STATUS, NotRegisteredError } from '../sip/invite';
import type { FinalAnswer, InviteOutcome } from '../sip/invite';
import type { ReasonHeader } from '../sip/reason';
import type { LiveState } from './call-lifecycle';
import type { RegisteredCall } from './call-registry';
import { CallSession, type CallDeps } from './call-session';
import { dispositionOf, type OwnCause } from './disposition';
import { reasonHeader, RING_TIMEOUT_REASON } from './hangup-reason';
import { carrierOf } from './replace/refer-target';
import type { TrunkCapacity } from './trunk-capacity';
import { firstHost, trunkInvite, wildcardFor } from './trunk-invite';

/** How long an ending waits for the final answer to our CANCEL; the SIP layer cleans up for longer. */
const CANCEL_ANSWER_MS = 5000;

export interface OutboundCallDeps extends CallDeps {
  readonly endpoint: SipEndpoint;
  readonly capacity: TrunkCapacity;
  readonly nodeId: string;
  readonly bootId: string;
}

export interface OutboundCallOptions {
  readonly command: DialCommand;
  readonly persona: AgentPersona;
  readonly trunk: OutboundTrunkProfile;
  /** Who has registered, where the trunk leads to our own endpoint; else null. */
  readonly contacts: readonly SipBinding[] | null;
  readonly deps: OutboundCallDeps;
  readonly onEnded: (call: OutboundCall) => void;
}

/** By `deadlineMs` the INVITE has left, or the trunk cannot be reached; `beforeSend` false: it is not to leave now. */
export interface DialLimits extends DialOptions {
  /** Asked last before the INVITE: why it must not leave any more. */
  readonly refusal: () => DialRefusal | null;
}

/** Thrown while the offer is built: the last moment at which nothing has been sent. */
class DialStopped extends Error {
  readonly code: DialRefusal;

  constructor(code: DialRefusal) {
    super(`dial stopped: ${code}`);
    this.name = 'DialStopped';
    this.code = code;
  }
}

export class OutboundCall implements RegisteredCall {
  readonly #options: OutboundCallOptions;
  readonly #session: CallSession;
  #dialog: OutboundDialog | null = null;
  #localAddress = '';
  #answer: FinalAnswer | null = null;
  /** Our CANCEL's cause, and the ending it stands for until the final answer is known. */
  #own: OwnCause | null = null;
  #cancelled: EndCause | null = null;
  /** Why no other gateway was tried, where one was left. */
  #unwanted: string | null = null;
  /** Ends the wait for the way to the trunk. */
  #callOff: (reason: Error) => void = () => undefined;

  constructor(options: OutboundCallOptions) {
    this.#options = options;
    this.#session = new CallSession({
      direction: 'outbound',
      sipCallId: options.command.sipCallId,
      deps: options.deps,
      codecs: options.trunk.codecs,
      trunkId: options.trunk.id,
      dtmfMode: options.trunk.dtmfMode,
      localMedia: () => ({ localAddress: this.#localAddress, signallingAddress: this.#dialog?.peer?.address ?? null }),
      handedOver: () => ({ number: options.command.to, name: null, withheld: false, calledNumber: null }),
      hangUp: (endReason, endedBy) => this.hangUp(endReason, endedBy),
      peer: {
        hungUp: (reason) => this.#byeReceived(reason),
        gone: () => this.#closed(),
        pickedUp: () => this.#pickedUp(),
      },
      onEnded: () => options.onEnded(this),
    });
    this.#session.lifecycle.timings.mark('begin', options.deps.clock.now());
  }

  get trunkId(): string {
    return this.#options.trunk.id;
  }

  get liveState(): LiveState {
    return this.#session.lifecycle.liveState;
  }

  get lastSeq(): number {
    return this.#session.lifecycle.events.lastSeq;
  }

  /** Rejects with what `beforeSend` rejects with; then, as with a refusal, nothing was sent and no call remains. */
  async dial(limits: DialLimits): Promise<DialResult> {
    const { command, trunk, contacts } = this.#options;
    const { lifecycle, leg } = this.#session;
    const notSent = (code: DialRefusal, detail: string): DialResult => {
      this.#options.deps.observer.rejected(`dial_${code}`);
      lifecycle.discard();
      return { sent: false, code, detail };
    };
    try {
      const localAddress = wildcardFor(contacts?.[0]?.source.address ?? firstHost(trunk));
      await leg.open({ localAddress, mediaTimeoutSeconds: trunk.mediaTimeoutSeconds });
    } catch (error) {
      return notSent('no_port', messageOf(error));
    }
    const early = this.#stopped(limits);
    if (early) return notSent(early, 'before the attempt was recorded');
    try {
      if (!(await limits.beforeSend())) return notSent('no_capacity', 'there is no room on the trunk');
    } catch (error) {
      this.#options.deps.observer.rejected('dial_not_recorded');
      lifecycle.discard();
      throw error;
    }
    const late = this.#stopped(limits);
    if (late) return notSent(late, 'after the attempt was recorded');
    const { nodeId, bootId } = this.#options.deps;
    const call = { nodeId, bootId, sipCallId: command.sipCallId };
    try {
      this.#dialog = leg.dialog = await this.#reach(limits);
    } catch (error) {
      const refusal = error instanceof DialStopped ? error.code : limits.refusal();
      if (refusal !== null && refusal !== 'too_late') return notSent(refusal, messageOf(error));
      const status = error instanceof NotRegisteredError ? { finalStatus: NOT_REGISTERED_STATUS } : {};
      this.#neverSent({ ...status, reason: messageOf(error) });
      return { sent: false, code: 'ended', ...call };
    }
    this.#sent();
    return { sent: true, ...call };
  }

  control(commandId: string, control: ConversationControl): CommandResult {
    return this.#session.control(commandId, control);
  }

  hangUp(endReason: EndReason, endedBy: EndedBy): void {
    if (this.liveState === 'answered') {
      const hungUp = this.#session.lifecycle.end(() => this.#session.leg.dialog?.bye(reasonHeader(endReason)));
      if (hungUp) this.#settle({ disposition: 'answered', endReason, endedBy }, this.#answer);
    } else {
      this.#cancel('canceled', { endReason, endedBy }, reasonHeader(endReason));
    }
  }

  #stopped(limits: DialLimits): DialRefusal | null {
    return this.#session.lifecycle.isLive ? limits.refusal() : 'tombstoned';
  }

  /** By name server and socket, as far as it takes; what is given up on the way finds its offer refused. */
  async #reach(limits: DialLimits): Promise<OutboundDialog> {
    const { timers } = this.#session.lifecycle;
    const calledOff = new Promise<never>((_, reject) => {
      this.#callOff = reject;
    });
    const leftMs = limits.deadlineMs - this.#options.deps.clock.epochMs();
    timers.arm('dial', leftMs, () => this.#callOff(new Error('no connection in time')));
    const inviting = this.#sendInvite(limits);
    inviting.catch(() => undefined); // nobody asks any more when it was called off
    try {
      return await Promise.race([inviting, calledOff]);
    } finally {
      timers.clear('dial');
    }
  }

  /** No INVITE left and none will: the trunk cannot be reached, or somebody hung up before it was. */
  #neverSent(why: Pick<SipOutcome, 'reason'> & Partial<Pick<SipOutcome, 'finalStatus'>>): void {
    const { command } = this.#options;
    const { lifecycle } = this.#session;
    if (this.#cancelled) this.#settleCancelled(null);
    else if (lifecycle.end(() => undefined)) {
      this.#settle({ disposition: 'trunk_unreachable', endReason: null, endedBy: 'system' }, null, why);
    }
    lifecycle.identify(command.callId, command.orgId);
    lifecycle.sawLastMessage();
  }

  async #sendInvite(limits: DialLimits): Promise<OutboundDialog> {
    const { command, trunk, contacts, deps } = this.#options;
    const session = this.#session;
    const invite = trunkInvite(trunk, command.to, command.callerNumber);
    return deps.endpoint.invite(
      {
        sipCallId: command.sipCallId,
        orgId: command.orgId,
        ...invite,
        gateways: deps.network.rests.awake(trunk, invite.gateways ?? []),
        ...(contacts === null ? {} : { contacts }),
        beforeFailover: () => this.#mayGoOn(limits),
        offer: (localAddress) => {
          const stopped = this.#stopped(limits);
          if (stopped) throw new DialStopped(stopped);
          // The INVITE leaves now: from here it takes a CANCEL.
          this.#callOff = () => undefined;
          this.#localAddress = localAddress;
          return session.leg.negotiation.makeOffer();
        },
      },
      {
        ...session.leg.dialogDelegate(),
        ...session.peerDelegate(() => carrierOf(this.#options.trunk, this.#dialog)),
        onUnreachable: (target, reason) =>
          session.lifecycle.events.report({ type: 'target_unreachable', target, reason }),
        onProgress: (status) => {
          // 181 and 199 say nothing about a phone that rings; 183 is what many carriers ring with.
          if (status === 180 || status === 182 || status === 183) session.ringing(status);
        },
        onAccept: (sdp, answer) => this.#accepted(sdp, answer),
        onReject: (outcome) => this.#rejected(outcome),
        onHostAnswer: (host, answer) => deps.network.rests.answered(trunk, host, answer),
      },
    );
  }

  /** To another gateway. The turn may be a while off, so what may have changed is asked behind it. */
  async #mayGoOn({ beforeFailover }: DialLimits): Promise<boolean> {
    const { trunk, deps } = this.#options;
    if (!(await deps.capacity.turn({ orgId: trunk.orgId, trunkId: trunk.id }))) return false;
    this.#unwanted = (await beforeFailover?.()) ?? null;
    return this.#unwanted === null;
  }

  #sent(): void {
    const { command, persona, deps } = this.#options;
    const { lifecycle, media } = this.#session;
    lifecycle.timings.mark('invite_sent', deps.clock.now());
    lifecycle.events.report({ type: 'dial_sent', attemptId: command.attemptId, sipCallId: command.sipCallId });
    // Hung up between the INVITE and its dialog: the CANCEL leaves now.
    if (this.#cancelled) this.#dialog?.cancel(reasonHeader(this.#cancelled.endReason));
    lifecycle.identify(command.callId, command.orgId);
    if (!lifecycle.isLive) return;
    if (lifecycle.state !== 'answered') {
      lifecycle.timers.arm('ring', command.ringTimeoutSeconds * 1000, () =>
        this.#cancel('ring_timeout', { endReason: null, endedBy: 'system' }, RING_TIMEOUT_REASON),
      );
    }
    media.warm(persona).then(
      () => lifecycle.timings.mark('warm', deps.clock.now()),
      (error: unknown) => {
        lifecycle.logger.error({ err: error }, 'no agent for an outbound call');
        this.hangUp('error', 'system');
      },
    );
  }

  #accepted(sdp: string | null, answer: FinalAnswer): void {
    const { lifecycle, media } = this.#session;
    if (this.#cancelled) {
      // The 2xx crossed our CANCEL (RFC 3261 §9.1): acknowledged by the SIP layer, ended here.
      this.#dialog?.bye(reasonHeader(this.#cancelled.endReason));
      this.#settleCancelled(answer);
      return;
    }
    if (!lifecycle.isLive || lifecycle.state === 'answered') return;
    this.#answer = answer;
    const remote = this.#session.leg.negotiation.takeAnswer(sdp);
    if (!remote) {
      const unusable: ReasonHeader = { protocol: 'SIP', cause: 488, text: 'no usable audio' };
      if (lifecycle.end(() => this.#dialog?.bye(unusable))) {
        this.#settle({ disposition: 'media_incompatible', endReason: null, endedBy: 'system' }, answer);
      }
      return;
    }
    this.#session.answered(this.#options.command.maxDurationSeconds);
    media.start(remote);
  }

  /** Somebody has taken the call from the phone that still rings (RFC 3891 §3). */
  #pickedUp(): void {
    this.#session.answered(this.#options.command.maxDurationSeconds);
  }

  #rejected(outcome: InviteOutcome): void {
    if (this.#cancelled) {
      this.#settleCancelled(outcome.kind === 'status' ? outcome : null);
      return;
    }
    if (!this.#session.lifecycle.end(() => undefined)) return;
    const answer = outcome.kind === 'status' ? outcome : null;
    const said = answer?.reason ?? (outcome.kind === 'unreachable' ? outcome.detail : outcome.kind);
    this.#settle(
      { disposition: dispositionOf(outcome, null), endReason: null, endedBy: answer ? 'callee' : 'system' },
      answer,
      { reason: this.#unwanted === null ? said : `${said}; no other gateway was tried: ${this.#unwanted}` },
    );
  }

  #byeReceived(reason: ReasonHeader | null): void {
    const q850 = reason?.protocol === 'Q.850' ? reason.cause : null;
    const answered = this.liveState === 'answered';
    const endReason = this.#session.byeReason('callee_hangup');
    if (this.#session.lifecycle.end(() => undefined)) {
      const disposition = answered ? 'answered' : 'failed';
      this.#settle({ disposition, endReason, endedBy: 'callee' }, this.#answer, { q850 });
    }
  }

  #closed(): void {
    const { lifecycle } = this.#session;
    if (this.#cancelled) this.#settleCancelled(null);
    const disposition = this.liveState === 'answered' ? 'answered' : 'failed';
    if (lifecycle.end(() => undefined)) {
      this.#settle({ disposition, endReason: 'error', endedBy: 'system' }, this.#answer);
    }
    lifecycle.sawLastMessage();
  }

  /** CANCEL; how the call ended is known when the INVITE's final answer has come (or has not in time). */
  #cancel(own: OwnCause, cause: EndCause, reason: ReasonHeader): void {
    const { lifecycle } = this.#session;
    if (!lifecycle.isLive) return;
    this.#own = own;
    this.#cancelled = cause;
    lifecycle.end(() => this.#dialog?.cancel(reason));
    if (lifecycle.state === 'ending') {
      lifecycle.timers.arm('cancel', CANCEL_ANSWER_MS, () => this.#settleCancelled(null));
    }
    this.#callOff(new Error('call was given up'));
  }

  #settleCancelled(outcome: FinalAnswer | null): void {
    const cause = this.#cancelled;
    if (!cause) return;
    const disposition = dispositionOf(outcome, this.#own);
    // A refusal that crossed our CANCEL is the callee's word.
    const ours = disposition === dispositionOf(null, this.#own);
    const ending = ours ? cause : { endReason: null, endedBy: 'callee' as const };
    this.#settle({ disposition, ...ending }, outcome);
  }

  /** @param more what is known beside or instead of the carrier's answer */
  #settle(
    ending: Omit<CallEnding, 'sip'>,
    answer: FinalAnswer | null,
    more: Partial<Omit<SipOutcome, 'sipCallId'>> = {},
  ): void {
    const { sipCallId } = this.#options.command;
    const said = { finalStatus: answer?.status ?? null, reason: answer?.reason ?? null, q850: answer?.q850 ?? null };
    this.#session.lifecycle.settle({ ...ending, sip: { sipCallId, ...said, ...more } });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
