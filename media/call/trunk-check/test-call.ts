/**
 * A call that a trunk's owner has placed to see whether the trunk works: one attempt, no agent. It rings, plays a tone when
 * it is answered, listens for some seconds and hangs up.
 *
 *   setup ──2xx──► talking ──some seconds, BYE──► over
 *     └──refusal, ring timeout, no way to the trunk──↗
 */
import type { CommandResult } from '../../../contract/commands';
import type { OutboundTrunkProfile } from '../../../contract/directory';
import type { EndReason } from '../../../contract/endings';
import { GRAPH_RATE_HZ } from '../../audio/frame';
import { TimerSet, type Clock } from '../../clock';
import type { RtpEngine, RtpSession, RtpStats } from '../../rtp/rtp-session';
import type { ReadAnswerResult } from '../../sdp/sdp-result';
import { SdpSession } from '../../sdp/sdp-session';
import type { OutboundDialog } from '../../sip/dialog';
import type { SipEndpoint } from '../../sip/endpoint';
import type { FinalAnswer, InviteOutcome } from '../../sip/invite';
import type { LiveState } from '../call-lifecycle';
import type { RegisteredCall } from '../call-registry';
import { rtpRemoteOf } from '../call-sdp';
import { reasonHeader, RING_TIMEOUT_REASON } from '../hangup-reason';
import { firstHost, trunkInvite } from '../trunk-invite';

export interface TestCallOptions {
  readonly trunk: OutboundTrunkProfile;
  readonly to: string;
  readonly sipCallId: string;
  /** Until the phone is picked up. */
  readonly ringMs: number;
  /** Timer B: until anything at all is heard. */
  readonly silenceMs: number;
  readonly talkMs: number;
  readonly deps: { readonly clock: Clock; readonly rtp: RtpEngine; readonly endpoint: SipEndpoint };
}

export interface TestCallResult {
  /** The final answer, or why none came. */
  readonly outcome: InviteOutcome;
  /** The ring timeout was over, or somebody else ended it (`EndReason`). */
  readonly givenUp: 'ring_timeout' | EndReason | null;
  /** Status of the first challenge that came. */
  readonly challenge: number | null;
  /** Highest status that came before the final one; 0: none. */
  readonly provisional: number;
  readonly sdp: string | null;
  /** What of it can be used; null without an answer. */
  readonly read: ReadAnswerResult | null;
  /** Where the answer came from. */
  readonly peerAddress: string | null;
  readonly endedByCallee: boolean;
  readonly media: RtpStats | null;
  /** Epoch ms. */
  readonly answeredAtMs: number | null;
}

const TONE_HZ = 440;
/** A quarter of full scale: heard everywhere, and no pain in anybody's ear. */
const TONE_AMPLITUDE = 8_000;
const TONE_ID = 1;
/** For the final answer to our CANCEL. */
const CANCEL_ANSWER_MS = 1_000;
/** A thread that does not answer holds nothing up. */
const STATS_MS = 800;
const MEDIA_TIMEOUT_MS = 60_000;

export class TestCall implements RegisteredCall {
  /** It has no events of its own. */
  readonly lastSeq = 0;
  readonly #options: TestCallOptions;
  readonly #timers: TimerSet<'ring' | 'talk' | 'cancel' | 'stats'>;
  readonly #ended: Promise<InviteOutcome>;
  #end: (outcome: InviteOutcome) => void = () => undefined;
  #dialog: OutboundDialog | null = null;
  #media: RtpSession | null = null;
  #sdpSession: SdpSession | null = null;
  #state: LiveState | 'over' = 'setup';
  #givenUp: TestCallResult['givenUp'] = null;
  #challenge: number | null = null;
  #provisional = 0;
  #sdp: string | null = null;
  #read: ReadAnswerResult | null = null;
  #answer: FinalAnswer | null = null;
  #answeredAtMs: number | null = null;
  #endedByCallee = false;

  constructor(options: TestCallOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.deps.clock);
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  get trunkId(): string {
    return this.#options.trunk.id;
  }

  get liveState(): LiveState {
    return this.#state === 'over' ? 'answered' : this.#state;
  }

  /** Nobody speaks in it. */
  control(): CommandResult {
    return { ok: false, code: 'not_answered' };
  }

  /** Rejects when there is no port for its media; then nothing was sent. */
  async run(): Promise<TestCallResult> {
    const { trunk, deps } = this.#options;
    const localAddress = firstHost(trunk).includes(':') ? '::' : '0.0.0.0';
    this.#media = await deps.rtp.open({ localAddress, mediaTimeoutMs: MEDIA_TIMEOUT_MS });
    try {
      await this.#invite();
      const outcome = await this.#ended;
      return this.#result(outcome, await this.#closeMedia());
    } finally {
      this.#timers.clearAll();
      void this.#media.close().catch(() => undefined); // closed already, or its thread is gone
    }
  }

  hangUp(endReason: EndReason): void {
    if (this.#state === 'over') return;
    this.#givenUp ??= endReason;
    if (this.#state === 'answered') this.#hangUp(reasonHeader(endReason));
    else this.#cancel(reasonHeader(endReason));
  }

  async #invite(): Promise<void> {
    const { trunk, to, sipCallId, ringMs, silenceMs, deps } = this.#options;
    this.#timers.arm('ring', ringMs, () => {
      this.#givenUp ??= 'ring_timeout';
      this.#cancel(RING_TIMEOUT_REASON);
    });
    try {
      this.#dialog = await deps.endpoint.invite(
        {
          sipCallId,
          ...trunkInvite(trunk, to, trunk.callerNumber),
          timerBMs: silenceMs,
          offer: (localAddress) => {
            if (this.#state !== 'setup') throw new Error('the call was given up');
            this.#sdpSession = new SdpSession({
              localAddress,
              port: this.#media!.localPort,
              codecs: trunk.codecs ?? null,
            });
            return this.#sdpSession.offer();
          },
        },
        {
          onMessage: ({ direction, method, status }) => {
            if (direction === 'in' && method === 'INVITE') this.#saw(status ?? 0);
          },
          onAccept: (sdp, answer) => this.#accepted(sdp, answer),
          onReject: (outcome) => this.#over(outcome),
          onBye: () => {
            this.#endedByCallee = true;
            if (this.#answer) this.#over(this.#answer);
          },
          onClosed: () => this.#over(this.#answer ?? { kind: 'timeout', provisional: this.#heard }),
        },
      );
      if (this.#state === 'over') this.#dialog.bye(reasonHeader(null));
    } catch (error) {
      this.#over({ kind: 'unreachable', detail: error instanceof Error ? error.message : String(error) });
    }
  }

  #saw(status: number): void {
    if (status === 401 || status === 407) this.#challenge ??= status;
    else if (status < 200) {
      this.#provisional = Math.max(this.#provisional, status);
      if (status >= 180 && this.#state === 'setup') this.#state = 'ringing';
    }
  }

  get #heard(): number | null {
    return this.#provisional === 0 ? null : this.#provisional;
  }

  #accepted(sdp: string | null, answer: FinalAnswer): void {
    if (this.#state === 'over') return;
    this.#timers.clear('ring');
    this.#timers.clear('cancel');
    this.#answer = answer;
    this.#answeredAtMs = this.#options.deps.clock.epochMs();
    this.#state = 'answered';
    this.#sdp = sdp;
    const signallingAddress = this.#peerAddress;
    if (this.#sdpSession !== null) this.#sdpSession.signallingAddress = signallingAddress;
    this.#read = sdp === null ? null : (this.#sdpSession?.readAnswer(sdp) ?? null);
    if (!this.#read?.ok) {
      this.#hangUp({ protocol: 'SIP', cause: 488, text: 'no usable audio' });
      return;
    }
    this.#media?.setRemote(rtpRemoteOf(this.#read.remote, signallingAddress));
    this.#media?.play(TONE_ID, tone(this.#options.talkMs), true);
    this.#timers.arm('talk', this.#options.talkMs, () => this.#hangUp(reasonHeader('api_hangup')));
  }

  get #peerAddress(): string | null {
    return this.#dialog?.peer?.address ?? null;
  }

  #hangUp(reason: Parameters<OutboundDialog['bye']>[0]): void {
    this.#dialog?.bye(reason);
    if (this.#answer) this.#over(this.#answer);
  }

  /** Before the INVITE has left there is nothing to cancel: its offer is refused then. */
  #cancel(reason: Parameters<OutboundDialog['cancel']>[0]): void {
    const outcome: InviteOutcome = { kind: 'timeout', provisional: this.#heard };
    if (this.#dialog === null) {
      this.#over(outcome);
      return;
    }
    this.#dialog.cancel(reason);
    this.#timers.arm('cancel', CANCEL_ANSWER_MS, () => this.#over(outcome));
  }

  #over(outcome: InviteOutcome): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#timers.clearAll();
    this.#end(outcome);
  }

  async #closeMedia(): Promise<RtpStats | null> {
    const late = new Promise<null>((resolve) => this.#timers.arm('stats', STATS_MS, () => resolve(null)));
    const stats = this.#media?.close().catch(() => null) ?? null;
    return Promise.race([stats, late]);
  }

  #result(outcome: InviteOutcome, media: RtpStats | null): TestCallResult {
    return {
      outcome,
      givenUp: this.#givenUp,
      challenge: this.#challenge,
      provisional: this.#provisional,
      sdp: this.#sdp,
      read: this.#read,
      peerAddress: this.#peerAddress,
      endedByCallee: this.#endedByCallee,
      media: this.#answeredAtMs === null ? null : media,
      answeredAtMs: this.#answeredAtMs,
    };
  }
}

function tone(lengthMs: number): Int16Array {
  const pcm = new Int16Array(Math.round((lengthMs / 1000) * GRAPH_RATE_HZ));
  const step = (2 * Math.PI * TONE_HZ) / GRAPH_RATE_HZ;
  for (let i = 0; i < pcm.length; i++) pcm[i] = Math.round(TONE_AMPLITUDE * Math.sin(step * i));
  return pcm;
}
