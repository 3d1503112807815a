/** A session of an RTP thread, as the main thread speaks to it. */
import { RtpError } from './rtp-error';

import type { SuperviseMode } from '../../contract/supervision';
import type { Background } from '../audio/background';
import type { RtpRemote, RtpSession, RtpSessionDelegate, RtpStats } from './rtp-session';
import type { RtpWorker } from './rtp-worker';
import type { RtpReply, RtpSessionNews } from './thread-messages';

interface ThreadedRtpSessionOptions {
  readonly worker: RtpWorker;
  readonly mediaId: number;
  readonly localPort: number;
  readonly onClosed: () => void;
}

export class ThreadedRtpSession implements RtpSession {
  readonly mediaId: number;
  readonly localPort: number;
  /** Its thread: sessions that are joined have the same. */
  readonly worker: RtpWorker;
  delegate: RtpSessionDelegate = {};
  readonly #onClosed: () => void;
  #closed: Promise<RtpStats> | null = null;

  constructor({ worker, mediaId, localPort, onClosed }: ThreadedRtpSessionOptions) {
    this.worker = worker;
    this.mediaId = mediaId;
    this.localPort = localPort;
    this.#onClosed = onClosed;
  }

  setRemote(remote: RtpRemote): void {
    this.worker.post({ type: 'remote', mediaId: this.mediaId, remote });
  }

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    // A view would be cloned with all of its buffer; the copy moves.
    this.worker.post({ type: 'play', mediaId: this.mediaId, playbackId, pcm: pcm.slice(), last });
  }

  async clear(): Promise<ReadonlyMap<number, number>> {
    const reply = await this.worker.request({ type: 'clear', mediaId: this.mediaId });
    return reply.kind === 'cleared' ? reply.samples : new Map();
  }

  async sendDigits(digits: string): Promise<void> {
    await this.worker.request({ type: 'digits', mediaId: this.mediaId, digits });
  }

  setGain(gain: number): void {
    this.worker.post({ type: 'gain', mediaId: this.mediaId, gain });
  }

  echo(): void {
    this.worker.post({ type: 'echo', mediaId: this.mediaId });
  }

  connect(other: RtpSession): void {
    const otherId = this.#neighbour(other);
    this.worker.post({ type: 'connect', mediaId: this.mediaId, otherId });
  }

  disconnect(): void {
    this.worker.post({ type: 'disconnect', mediaId: this.mediaId });
  }

  supervise(other: RtpSession, mode: SuperviseMode): void {
    const otherId = this.#neighbour(other);
    this.worker.post({ type: 'supervise', mediaId: this.mediaId, otherId, mode });
  }

  setBackground(source: Background | null): void {
    this.worker.post({ type: 'background', mediaId: this.mediaId, source });
  }

  pause(on: boolean): void {
    this.worker.post({ type: 'pause', mediaId: this.mediaId, on });
  }

  listen(on: boolean): void {
    this.worker.post({ type: 'listen', mediaId: this.mediaId, on });
  }

  close(): Promise<RtpStats> {
    this.#closed ??= this.worker.request({ type: 'close', mediaId: this.mediaId }).then(statsOf);
    this.#onClosed();
    return this.#closed;
  }

  receive(news: RtpSessionNews): void {
    const { delegate } = this;
    switch (news.type) {
      case 'dtmf':
        delegate.onDtmf?.(news.digit, news.durationMs);
        return;
      case 'firstSent':
        delegate.onFirstPacketSent?.(news.atEpochMs);
        return;
      case 'firstReceived':
        delegate.onFirstPacketReceived?.(news.atEpochMs);
        return;
      case 'finished':
        delegate.onPlaybackFinished?.(news.playbackId);
        return;
      case 'timeout':
        delegate.onMediaTimeout?.();
        return;
      case 'quiet':
        delegate.onMediaQuiet?.(news.quiet);
        return;
      case 'deaf':
        delegate.onDeaf?.(news.packetsForeign);
        return;
      case 'failed':
        delegate.onFailure?.();
    }
  }

  /** @throws Error for a session that was not opened `beside` this one, nor this one beside it */
  #neighbour(other: RtpSession): number {
    if (!(other instanceof ThreadedRtpSession) || other.worker !== this.worker)
      throw new Error(`session ${other.mediaId} is in another RTP thread than session ${this.mediaId}`);
    return other.mediaId;
  }
}

function statsOf(reply: RtpReply): RtpStats {
  if (reply.kind !== 'stats') throw new RtpError('closed', 'unexpected answer of the RTP thread');
  return reply.stats;
}
