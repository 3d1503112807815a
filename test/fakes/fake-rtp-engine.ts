import type { MessagePort } from 'node:worker_threads';
import type { SuperviseMode } from '../../contract/supervision';
import type { Background } from '../../media/audio/background';
import type {
  RtpEngine,
  RtpRemote,
  RtpSession,
  RtpSessionDelegate,
  RtpSessionOptions,
  RtpStats,
} from '../../media/rtp/rtp-session';

export const QUIET_STATS: RtpStats = {
  packetsSent: 0,
  packetsReceived: 0,
  packetsLost: 0,
  packetsLate: 0,
  packetsForeign: 0,
  jitterMs: 0,
  roundTripMs: null,
  remoteLossPct: null,
  mos: null,
  framesHeard: 0,
  maxSendGapMs: 0,
};

export class FakeRtpSession implements RtpSession {
  delegate: RtpSessionDelegate = {};
  readonly remotes: RtpRemote[] = [];
  readonly digits: string[] = [];
  echoing = false;
  connectedTo: RtpSession | null = null;
  supervising: { readonly other: RtpSession; readonly mode: SuperviseMode } | null = null;
  background: Background | null = null;
  listening = true;
  paused = false;
  closed = 0;
  finalStats: RtpStats = QUIET_STATS;
  /** A thread that never answers. */
  stuck = false;

  constructor(
    readonly mediaId: number,
    readonly localPort: number,
    readonly options: RtpSessionOptions,
  ) {}

  setRemote(remote: RtpRemote): void {
    this.remotes.push(remote);
  }

  play(): void {}

  clear(): Promise<ReadonlyMap<number, number>> {
    return Promise.resolve(new Map());
  }

  sendDigits(digits: string): Promise<void> {
    this.digits.push(digits);
    return Promise.resolve();
  }

  setGain(): void {}

  connect(other: RtpSession): void {
    this.disconnect();
    other.disconnect();
    this.connectedTo = other;
    (other as FakeRtpSession).connectedTo = this;
  }

  disconnect(): void {
    const other = this.connectedTo as FakeRtpSession | null;
    this.connectedTo = null;
    if (other !== null) other.connectedTo = null;
  }

  supervise(other: RtpSession, mode: SuperviseMode): void {
    this.supervising = { other, mode };
  }

  setBackground(source: Background | null): void {
    this.background = source;
  }

  pause(on: boolean): void {
    this.paused = on;
  }

  listen(on: boolean): void {
    this.listening = on;
  }

  echo(): void {
    this.echoing = true;
  }

  close(): Promise<RtpStats> {
    this.closed++;
    this.disconnect();
    return this.stuck ? new Promise(() => undefined) : Promise.resolve(this.finalStats);
  }
}

export class FakeRtpEngine implements RtpEngine {
  readonly sessions: FakeRtpSession[] = [];
  /** What `open` rejects with next. */
  failure: Error | null = null;

  get sessionCount(): number {
    return this.sessions.filter((session) => session.closed === 0).length;
  }

  get last(): FakeRtpSession {
    return this.sessions.at(-1)!;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  open(options: RtpSessionOptions): Promise<RtpSession> {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.sessions.length + 1;
    const session = new FakeRtpSession(id, 20_000 + 2 * id, options);
    this.sessions.push(session);
    return Promise.resolve(session);
  }

  connectListener(_open: () => MessagePort): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
