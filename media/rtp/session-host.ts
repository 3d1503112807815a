/** All sessions of the RTP thread: carries out the main thread's commands, feeds the pacer, collects the audio batches. */
import { randomBytes } from 'node:crypto';

import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import { FRAME_SAMPLES } from '../audio/audio-batch';
import { MediaSession } from './media-session';
import { Pacer } from './pacer';
import { PortPool } from './port-pool';
import { RtpError } from './rtp-error';
import { SocketPair } from './socket-pair';

import type { MessagePort } from 'node:worker_threads';
import type { AudioBatch } from '../audio/audio-batch';
import type { PacedSession, PacerClock } from './pacer';
import type { RtpSessionOptions } from './rtp-session';
import type { FromRtpThread, RtpReply, RtpThreadOptions, ToRtpThread } from './thread-messages';

/** Failures of one session, after which its call is given up: never the thread. */
const ERROR_BUDGET = 50;

interface Hosted extends PacedSession {
  readonly session: MediaSession;
  readonly sockets: SocketPair;
  /** Runs what a peer's packet or a frame sets off. */
  guard(work: () => void): void;
}

export interface SessionHostOptions extends RtpThreadOptions {
  readonly clock: PacerClock;
  readonly epochOffsetMs: number;
  readonly post: (messages: readonly FromRtpThread[]) => void;
}

export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #clock: PacerClock;
  readonly #pool: PortPool;
  readonly #pacer: Pacer;
  readonly #hosted = new Map<number, Hosted>();
  readonly #cname = randomBytes(9).toString('base64url');
  #outbox: FromRtpThread[] = [];
  #listener: MessagePort | null = null;
  #stopped = false;
  #batchIds: number[] = [];
  #batchReceived: number[] = [];
  #batchPcm = new Int16Array(64 * FRAME_SAMPLES);
  #batchSent = new Int16Array(64 * FRAME_SAMPLES);

  constructor(options: SessionHostOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#pool = new PortPool({ min: options.portMin, max: options.portMax, now: () => options.clock.now() });
    this.#pacer = new Pacer({ clock: options.clock, onRound: () => this.#postBatch() });
  }

  /** Never throws: what one command breaks is the affair of its session, the others' commands are carried out. */
  handle(messages: readonly ToRtpThread[]): void {
    for (const message of messages) {
      try {
        this.#handleOne(message);
      } catch (error) {
        this.#commandFailed(message, error);
      }
    }
  }

  #handleOne(message: ToRtpThread): void {
    switch (message.type) {
      case 'open':
        void this.#open(message.request, message.mediaId, message.options);
        return;
      case 'listener': {
        const before = this.#listener;
        this.#listener = message.port;
        before?.close();
        return;
      }
      case 'stop':
        this.#stop();
        this.#reply(message.request, { kind: 'stopped' });
        return;
      default:
        this.#handleFor(message);
    }
  }

  #handleFor(message: Exclude<ToRtpThread, { type: 'open' | 'listener' | 'stop' }>): void {
    const hosted = this.#hosted.get(message.mediaId);
    if (hosted === undefined) {
      if ('request' in message) this.#reply(message.request, { kind: 'error', code: 'closed', message: 'no session' });
      return;
    }
    const { session } = hosted;
    switch (message.type) {
      case 'remote':
        session.setRemote(message.remote, this.#clock.now());
        this.#pacer.add(hosted);
        return;
      case 'play':
        session.queue.play(message.playbackId, message.pcm, message.last);
        return;
      case 'digits':
        session.keys.press(message.digits, (sent) => {
          const closed = { kind: 'error', code: 'closed', message: 'closed before the last key' } as const;
          this.#reply(message.request, sent ? { kind: 'digits' } : closed);
        });
        return;
      case 'gain':
        session.queue.setGain(message.gain);
        return;
      case 'echo':
        session.echo();
        return;
      case 'clear':
        this.#reply(message.request, { kind: 'cleared', samples: session.queue.clear() });
        return;
      case 'close':
        try {
          this.#reply(message.request, { kind: 'stats', stats: session.close(this.#clock.now()) });
        } finally {
          this.#drop(message.mediaId, hosted);
        }
    }
  }

  #commandFailed(message: ToRtpThread, error: unknown): void {
    const mediaId = 'mediaId' in message ? message.mediaId : null;
    this.#fault(mediaId, error);
    if ('request' in message) {
      this.#reply(message.request, { kind: 'error', code: 'failed', message: 'the command failed' });
    }
    const hosted = mediaId === null ? undefined : this.#hosted.get(mediaId);
    if (mediaId !== null && hosted !== undefined) this.#giveUp(mediaId, hosted);
  }

  /** The call of this session is told to end; its sockets stay until it does. */
  #giveUp(mediaId: number, hosted: Hosted): void {
    this.#pacer.remove(hosted);
    this.#post({ type: 'failed', mediaId });
  }

  #fault(mediaId: number | null, error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#post({ type: 'fault', mediaId, message });
  }

  async #open(request: number, mediaId: number, options: RtpSessionOptions): Promise<void> {
    let hosted: Hosted | undefined;
    try {
      const sockets = await SocketPair.open(this.#pool, options.localAddress, {
        onRtp: (bytes, address, port) => {
          hosted?.guard(() => hosted?.session.receiveRtp(bytes, address, port, this.#clock.now()));
        },
        onRtcp: (bytes, address, port) => {
          hosted?.guard(() => hosted?.session.receiveRtcp(bytes, address, port, this.#clock.now()));
        },
      });
      if (this.#stopped) {
        // Open sockets would keep the thread alive.
        sockets.close();
        throw new RtpError('closed', 'the RTP thread is stopping');
      }
      hosted = this.#host(mediaId, sockets, options);
      this.#hosted.set(mediaId, hosted);
      this.#reply(request, { kind: 'opened', localPort: sockets.port });
    } catch (error) {
      const code = error instanceof RtpError ? error.code : 'bind_failed';
      this.#reply(request, { kind: 'error', code, message: error instanceof Error ? error.message : 'bind failed' });
    }
  }

  #host(mediaId: number, sockets: SocketPair, options: RtpSessionOptions): Hosted {
    const session = new MediaSession({
      sendRtp: (packet, port, address) => sockets.sendRtp(packet, port, address),
      sendRtcp: (packet, port, address) => sockets.sendRtcp(packet, port, address),
      allowPrivateTargets: this.#options.allowPrivateTargets ?? true,
      anySource: options.anySource ?? false,
      mediaTimeoutMs: options.mediaTimeoutMs ?? DEFAULT_MEDIA_TIMEOUT_SECONDS * 1000,
      cname: this.#cname,
      now: () => this.#clock.now(),
      epochOffsetMs: this.#options.epochOffsetMs,
      events: {
        onDtmf: (digit, durationMs) => this.#post({ type: 'dtmf', mediaId, digit, durationMs }),
        onFirstPacketSent: (atEpochMs) => this.#post({ type: 'firstSent', mediaId, atEpochMs }),
        onFirstPacketReceived: (atEpochMs) => this.#post({ type: 'firstReceived', mediaId, atEpochMs }),
        onPlaybackFinished: (playbackId) => this.#post({ type: 'finished', mediaId, playbackId }),
        onMediaTimeout: () => this.#post({ type: 'timeout', mediaId }),
        onMediaQuiet: (quiet) => this.#post({ type: 'quiet', mediaId, quiet }),
        onDeaf: (packetsForeign) => this.#post({ type: 'deaf', mediaId, packetsForeign }),
      },
    });
    // Frames that a stall swallowed were never sent.
    const collectSkipped = (pcm: Int16Array, received: boolean): void => this.#collect(mediaId, pcm, received, null);
    let errors = 0;
    const hosted: Hosted = {
      session,
      sockets,
      guard: (work) => {
        try {
          work();
        } catch (error) {
          if (errors++ === 0) this.#fault(mediaId, error);
          if (errors === ERROR_BUDGET) this.#giveUp(mediaId, hosted);
        }
      },
      onFrame: (nowMs, skipped) => {
        hosted.guard(() => {
          session.tick(nowMs, skipped, collectSkipped);
          this.#collect(mediaId, session.pcm, session.pcmReceived, session.sentPcm);
        });
      },
    };
    return hosted;
  }

  #collect(mediaId: number, pcm: Int16Array, received: boolean, sent: Int16Array | null): void {
    if (this.#listener === null) return;
    const at = this.#batchIds.length * FRAME_SAMPLES;
    if (at === this.#batchPcm.length) {
      this.#batchPcm = twiceAsLarge(this.#batchPcm);
      this.#batchSent = twiceAsLarge(this.#batchSent);
    }
    this.#batchPcm.set(pcm, at);
    if (sent === null) this.#batchSent.fill(0, at, at + FRAME_SAMPLES);
    else this.#batchSent.set(sent, at);
    this.#batchIds.push(mediaId);
    this.#batchReceived.push(received ? 1 : 0);
  }

  #postBatch(): void {
    const count = this.#batchIds.length;
    if (count === 0 || this.#listener === null) return;
    const batch: AudioBatch = {
      mediaIds: Uint32Array.from(this.#batchIds),
      pcm: this.#batchPcm.slice(0, count * FRAME_SAMPLES),
      received: Uint8Array.from(this.#batchReceived),
      sent: this.#batchSent.slice(0, count * FRAME_SAMPLES),
    };
    this.#batchIds = [];
    this.#batchReceived = [];
    try {
      this.#listener.postMessage(batch, [
        batch.mediaIds.buffer as ArrayBuffer,
        batch.pcm.buffer as ArrayBuffer,
        batch.received.buffer as ArrayBuffer,
        batch.sent.buffer as ArrayBuffer,
      ]);
    } catch (error) {
      // Nobody hears the callers until the next listener; they still hear us, and every call can still end.
      this.#listener = null;
      this.#fault(null, error);
    }
  }

  #drop(mediaId: number, hosted: Hosted): void {
    this.#hosted.delete(mediaId);
    this.#pacer.remove(hosted);
    hosted.sockets.close();
    this.#pool.release(hosted.sockets.port);
    // No round follows that would take the last frames along.
    if (this.#pacer.size === 0) this.#postBatch();
  }

  #stop(): void {
    this.#stopped = true;
    for (const [mediaId, hosted] of this.#hosted) {
      hosted.guard(() => hosted.session.close(this.#clock.now()));
      this.#drop(mediaId, hosted);
    }
    this.#pacer.close();
    this.#listener?.close();
    this.#listener = null;
  }

  #reply(request: number, reply: RtpReply): void {
    this.#post({ type: 'reply', request, reply });
  }

  /** Everything that happens in one turn of the event loop leaves as one message. */
  #post(message: FromRtpThread): void {
    if (this.#outbox.length === 0) {
      queueMicrotask(() => {
        const messages = this.#outbox;
        this.#outbox = [];
        this.#options.post(messages);
      });
    }
    this.#outbox.push(message);
  }
}

function twiceAsLarge(pcm: Int16Array): Int16Array<ArrayBuffer> {
  const larger = new Int16Array(pcm.length * 2);
  larger.set(pcm);
  return larger;
}
