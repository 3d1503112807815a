/** RTP of calls that nobody hears: no socket, no port, no thread. What plays is over at once. */
import type { RtpEngine, RtpSession, RtpSessionDelegate, RtpStats } from '../rtp/rtp-session';

/** Far above those of calls, which count from 1. */
const FIRST_MEDIA_ID = 2 ** 31;
const PORT = 9;
const NOTHING: RtpStats = {
  packetsSent: 0,
  packetsReceived: 0,
  packetsLost: 0,
  packetsLate: 0,
  packetsForeign: 0,
  framesHeard: 0,
  jitterMs: 0,
  roundTripMs: null,
  remoteLossPct: null,
  mos: null,
  maxSendGapMs: 0,
};

export class SoundlessRtp implements RtpEngine {
  sessionCount = 0;
  #lastMediaId = FIRST_MEDIA_ID;

  start(): Promise<void> {
    return Promise.resolve();
  }

  open(): Promise<RtpSession> {
    this.sessionCount++;
    return Promise.resolve(new SoundlessSession(++this.#lastMediaId, () => this.sessionCount--));
  }

  connectListener(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class SoundlessSession implements RtpSession {
  readonly mediaId: number;
  readonly localPort = PORT;
  delegate: RtpSessionDelegate = {};
  readonly #onClosed: () => void;
  readonly #played = new Map<number, number>();

  constructor(mediaId: number, onClosed: () => void) {
    this.mediaId = mediaId;
    this.#onClosed = onClosed;
  }

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    this.#played.set(playbackId, (this.#played.get(playbackId) ?? 0) + pcm.length);
    if (last) queueMicrotask(() => this.delegate.onPlaybackFinished?.(playbackId));
  }

  clear(): Promise<ReadonlyMap<number, number>> {
    return Promise.resolve(this.#played);
  }

  sendDigits(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<RtpStats> {
    this.#onClosed();
    return Promise.resolve(NOTHING);
  }

  setRemote(): void {}
  setGain(): void {}
  echo(): void {}
  connect(): void {}
  disconnect(): void {}
  supervise(): void {}
  setBackground(): void {}
  pause(): void {}
  listen(): void {}
}
