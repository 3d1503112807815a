/**
 * The media of one call: joins its RTP session and its agent. Owns both: `close()` closes the agent, then the session
 * (agent → RTP session), and is the only way out of `open`.
 */
import type { CallControl, CommandOutcome, CommandRefusal, CommandResult } from '../../contract/commands';
import type { CallMetrics } from '../../contract/endings';
import type { TranscriptTurn } from '../../contract/events';
import type { AgentDelegate, AgentPersona, AgentSession } from '../agent/agent-session';
import { TimerSet, type Clock } from '../clock';
import type { RtpEngine, RtpRemote, RtpSession, RtpStats } from '../rtp/rtp-session';
import { KeyPresses } from './key-presses';

/** Answer anyway when the first words are not ready by then. */
const WARM_DEADLINE_MS = 3000;

/** The agent of a call on its RTP session: `AgentRuntime.createSession`, or the echo of bench mode. */
export type AgentFactory = (persona: AgentPersona, rtp: RtpSession, delegate: AgentDelegate) => AgentSession;

interface CallMediaDelegate {
  onTurn(turn: TranscriptTurn): void;
  onTurnLatency(ms: number): void;
  onAgentEnd(reason: 'agent_goodbye' | 'silence' | 'error'): void;
  /** `count` digits so far. */
  onDtmf(count: number): void;
  onMediaTimeout(): void;
  /** The peer's packets have stopped, or are back. */
  onMediaQuiet(quiet: boolean): void;
  /** Packets have come, and none of the peer; said once. */
  onDeaf(packetsForeign: number): void;
  /** Our media has failed. */
  onFailure(): void;
  /** Monotonic ms. */
  onFirstPacketSent(atMs: number): void;
  onFirstPacketReceived(atMs: number): void;
}

export interface CallMediaOptions {
  readonly engine: RtpEngine;
  readonly createAgent: AgentFactory;
  readonly clock: Clock;
  readonly delegate: CallMediaDelegate;
}

export class CallMedia {
  readonly #options: CallMediaOptions;
  readonly #timers: TimerSet<'warm'>;
  readonly #latenciesMs: number[] = [];
  readonly #presses = new KeyPresses();
  #session: RtpSession | null = null;
  #agent: AgentSession | null = null;
  #remote: RtpRemote | null = null;
  #closed: Promise<RtpStats | null> | null = null;
  #finishWarm: (() => void) | null = null;
  #agentStarted = false;
  #dtmfCount = 0;
  #deafTold = false;
  #turns = 0;

  constructor(options: CallMediaOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** Rejects with code `no_port`. A session that opens after `close()` is closed at once. */
  async open(localAddress: string, mediaTimeoutSeconds: number, anySource = false): Promise<void> {
    const mediaTimeoutMs = mediaTimeoutSeconds * 1000;
    const session = await this.#options.engine.open({
      localAddress,
      mediaTimeoutMs,
      ...(anySource ? { anySource } : {}),
    });
    if (this.#closed) {
      await session.close();
      return;
    }
    this.#session = session;
    const { clock, delegate } = this.#options;
    session.delegate = {
      onDtmf: (digit, durationMs) => {
        if (this.#presses.event(digit, durationMs, clock.now())) this.#digit(digit);
      },
      onFirstPacketSent: (at) => delegate.onFirstPacketSent(at - clock.timeOriginMs),
      onFirstPacketReceived: (at) => delegate.onFirstPacketReceived(at - clock.timeOriginMs),
      onPlaybackFinished: (id) => this.#agent?.onPlaybackFinished(id),
      onMediaTimeout: () => {
        if (!this.#closed) delegate.onMediaTimeout();
      },
      onMediaQuiet: (quiet) => {
        if (!this.#closed) delegate.onMediaQuiet(quiet);
      },
      onDeaf: (packetsForeign) => this.#deaf(packetsForeign),
      onFailure: () => {
        if (!this.#closed) delegate.onFailure();
      },
    };
  }

  get localPort(): number {
    if (!this.#session) throw new Error('the media of this call is not open');
    return this.#session.localPort;
  }

  /** Makes the agent and waits until its first words are ready, at most three seconds. Rejects when there is no agent. */
  async warm(persona: AgentPersona): Promise<void> {
    if (this.#closed || !this.#session) return;
    const agent = this.#options.createAgent(persona, this.#session, this.#agentDelegate());
    this.#agent = agent;
    await new Promise<void>((resolve) => {
      const ready = (): void => {
        this.#timers.clear('warm');
        resolve();
      };
      this.#finishWarm = ready;
      this.#timers.arm('warm', WARM_DEADLINE_MS, resolve);
      agent.warm().then(ready, ready);
    });
  }

  /** The call is answered and the far side known: packets flow, the agent speaks. */
  start(remote: RtpRemote): void {
    if (this.#closed || !this.#session) return;
    this.#timers.clear('warm');
    this.#setRemote(remote);
    // Behind NAT the RTP session keeps these words until it knows where to send them.
    this.#agentStarted = true;
    this.#agent?.start();
  }

  /** New SDP in the call: hold, resume, another address or codec. */
  update(remote: RtpRemote): void {
    if (!this.#closed) this.#setRemote(remote);
  }

  /** A digit by INFO. */
  infoDtmf(digit: string): void {
    if (this.#presses.info(digit, this.#options.clock.now())) this.#digit(digit);
  }

  /** `done` is told once, and never before the command was taken; not at all where the call ends first. */
  control(control: CallControl, done: (outcome: CommandOutcome) => void): CommandResult {
    const remote = this.#remote;
    const session = this.#session;
    const agent = this.#agent;
    if (this.#closed || !remote || !session || !agent) return refused('not_answered');
    if (control.type !== 'dtmf' && !agent.mayBeTold) return refused('no_agent');
    switch (control.type) {
      case 'dtmf':
        if (!remote.send) return refused('on_hold');
        if (remote.telephoneEventPayloadType === null) return refused('no_telephone_event');
        session.sendDigits(control.digits).then(
          () => done('done'),
          () => done('failed'),
        );
        return OK;
      case 'say': {
        if (!remote.send) return refused('on_hold');
        const refusal = agent.say(control.text, { interrupt: control.interrupt, onOutcome: later(done) });
        return refusal === null ? OK : refused(refusal);
      }
      case 'instruct':
        if (!agent.instruct(control.text)) return refused('too_many');
        break;
      case 'mute':
        agent.mute(true);
        break;
      case 'unmute':
        agent.mute(false);
    }
    later(done)('done');
    return OK;
  }

  turnLatencyMs(): CallMetrics['turnLatencyMs'] {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    return sorted.length === 0 ? null : { p50: Math.round(at(0.5)), p95: Math.round(at(0.95)) };
  }

  /** Idempotent; the last statistics, null when no session was open. */
  close(): Promise<RtpStats | null> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<RtpStats | null> {
    this.#timers.clearAll();
    this.#finishWarm?.();
    await this.#silence().catch(() => undefined); // whatever fails at the last words must not keep the port
    const stats = this.#session ? await this.#session.close() : null;
    // Too short a call to be told in its course.
    if (stats && stats.packetsReceived === 0 && stats.packetsForeign > 0) this.#deaf(stats.packetsForeign);
    return stats;
  }

  #deaf(packetsForeign: number): void {
    if (this.#deafTold) return;
    this.#deafTold = true;
    this.#options.delegate.onDeaf(packetsForeign);
  }

  async #silence(): Promise<void> {
    try {
      // Nothing is sent any more, but the session still tells how much the caller heard.
      if (this.#remote) this.#session?.setRemote({ ...this.#remote, send: false });
      if (this.#agentStarted) await this.#agent?.finish();
    } finally {
      this.#agent?.close();
    }
  }

  #setRemote(remote: RtpRemote): void {
    this.#remote = remote;
    this.#session?.setRemote(remote);
    this.#agent?.hold(!remote.send);
  }

  #digit(digit: string): void {
    if (this.#closed) return;
    this.#options.delegate.onDtmf(++this.#dtmfCount);
    this.#agent?.onDtmf(digit);
  }

  #agentDelegate(): AgentDelegate {
    const { delegate } = this.#options;
    return {
      onTurn: (turn) => delegate.onTurn({ ...turn, index: this.#turns++ }),
      onEnd: (reason) => {
        if (!this.#closed) delegate.onAgentEnd(reason);
      },
      onTurnLatency: (ms) => {
        this.#latenciesMs.push(ms);
        delegate.onTurnLatency(ms);
      },
    };
  }
}

const OK: CommandResult = { ok: true };
const refused = (code: CommandRefusal): CommandResult => ({ ok: false, code });

/** After the answer to the command. */
function later(done: (outcome: CommandOutcome) => void): (outcome: CommandOutcome) => void {
  return (outcome) => queueMicrotask(() => done(outcome));
}
