/** All sessions of the RTP thread: carries out the main thread's commands and feeds the pacer. */
import { randomBytes } from 'node:crypto';

import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import { HostedSession } from './hosted-session';
import { ListenerFeed } from './listener-feed';
import { MediaGraph } from './media-graph';
import { MediaSession } from './media-session';
import { Pacer } from './pacer';
import { PortPool } from './port-pool';
import { PreparedPairs } from './prepared-pairs';
import { RtpError } from './rtp-error';
import { SocketPair } from './socket-pair';

import type { PacerClock } from './pacer';
import type { RtpSessionOptions } from './rtp-session';
import type { FromRtpThread, RtpReply, RtpThreadOptions, ToRtpThread } from './thread-messages';

export interface SessionHostOptions extends RtpThreadOptions {
  readonly clock: PacerClock;
  readonly epochOffsetMs: number;
  readonly post: (messages: readonly FromRtpThread[]) => void;
  /** See `endOfTurn`. */
  readonly defer: (run: () => void) => void;
}

export class SessionHost {
  readonly #options: SessionHostOptions;
  readonly #clock: PacerClock;
  readonly #pool: PortPool;
  readonly #prepared: PreparedPairs;
  readonly #pacer: Pacer;
  readonly #graph: MediaGraph;
  readonly #listener: ListenerFeed;
  readonly #hosted = new Map<number, HostedSession>();
  readonly #cname = randomBytes(9).toString('base64url');
  #outbox: FromRtpThread[] = [];
  #stopped = false;

  constructor(options: SessionHostOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#pool = new PortPool({ min: options.portMin, max: options.portMax, now: () => options.clock.now() });
    this.#prepared = new PreparedPairs(this.#pool, options.portsAhead ?? 0, (localAddress, port) =>
      this.#post({ type: 'prepared', localAddress, port }),
    );
    this.#listener = new ListenerFeed((error) => this.#fault(null, error));
    this.#graph = new MediaGraph((graph) => this.#post({ type: 'graph', graph }));
    this.#pacer = new Pacer({ clock: options.clock, onRound: () => this.#listener.post() });
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
      case 'adopt':
        this.#adopt(message.mediaId, message.port, message.options);
        return;
      case 'listener':
        this.#listener.connect(message.port);
        return;
      case 'stop':
        this.#stop();
        this.#reply(message.request, { kind: 'stopped' });
        return;
      default:
        this.#handleFor(message);
    }
  }

  #handleFor(message: Exclude<ToRtpThread, { type: 'open' | 'adopt' | 'listener' | 'stop' }>): void {
    const hosted = this.#hosted.get(message.mediaId);
    if (hosted === undefined) {
      if ('request' in message) this.#reply(message.request, { kind: 'error', code: 'closed', message: 'no session' });
      return;
    }
    const { session } = hosted;
    switch (message.type) {
      case 'remote':
        session.setRemote(message.remote, this.#clock.now());
        this.#pacer.add(hosted, hosted.beside === null ? null : this.#hosted.get(hosted.beside));
        return;
      case 'play':
        session.sources.queue.play(message.playbackId, message.pcm, message.last);
        return;
      case 'digits':
        session.keys.press(message.digits, (sent) => {
          const closed = { kind: 'error', code: 'closed', message: 'closed before the last key' } as const;
          this.#reply(message.request, sent ? { kind: 'digits' } : closed);
        });
        return;
      case 'gain':
        session.sources.queue.setGain(message.gain);
        return;
      case 'echo':
        session.echo();
        return;
      case 'connect':
        this.#graph.connect(message.mediaId, message.otherId);
        return;
      case 'disconnect':
        this.#graph.disconnect(message.mediaId);
        return;
      case 'supervise':
        this.#graph.supervise(message.mediaId, message.otherId, message.mode);
        return;
      case 'background':
        this.#graph.setBackground(message.mediaId, message.source);
        return;
      case 'pause':
        this.#graph.pause(message.mediaId, message.on);
        return;
      case 'listen':
        this.#graph.listen(message.mediaId, message.on);
        return;
      case 'clear':
        this.#reply(message.request, { kind: 'cleared', samples: session.sources.queue.clear() });
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
    if (mediaId !== null) this.#giveUp(mediaId);
  }

  /** The call of this session is told to end; its sockets stay until it does. */
  #giveUp(mediaId: number): void {
    const hosted = this.#hosted.get(mediaId);
    if (hosted !== undefined) this.#pacer.remove(hosted);
    this.#graph.remove(mediaId);
    this.#post({ type: 'failed', mediaId });
  }

  #fault(mediaId: number | null, error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#post({ type: 'fault', mediaId, message });
  }

  async #open(request: number, mediaId: number, options: RtpSessionOptions): Promise<void> {
    try {
      const sockets = await SocketPair.open(this.#pool, options.localAddress);
      if (this.#stopped) {
        // Open sockets would keep the thread alive.
        sockets.close();
        throw new RtpError('closed', 'the RTP thread is stopping');
      }
      this.#host(mediaId, sockets, options);
      this.#reply(request, { kind: 'opened', localPort: sockets.port });
      this.#prepared.prepare(options.localAddress);
    } catch (error) {
      const code = error instanceof RtpError ? error.code : 'bind_failed';
      this.#reply(request, { kind: 'error', code, message: error instanceof Error ? error.message : 'bind failed' });
    }
  }

  #adopt(mediaId: number, port: number, options: RtpSessionOptions): void {
    const sockets = this.#prepared.take(options.localAddress, port);
    if (sockets === undefined) throw new RtpError('bind_failed', `port ${port} is not prepared`);
    this.#host(mediaId, sockets, options);
  }

  #host(mediaId: number, sockets: SocketPair, options: RtpSessionOptions): void {
    const session = new MediaSession({
      sendRtp: (packet, port, address) => sockets.sendRtp(packet, port, address),
      sendRtcp: (packet, port, address) => sockets.sendRtcp(packet, port, address),
      connectRtp: (address, port) => sockets.connectRtp(address, port),
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
    const hosted = new HostedSession({
      session,
      sockets,
      beside: options.beside ?? null,
      now: () => this.#clock.now(),
      onFault: (error) => this.#fault(mediaId, error),
      onBudgetSpent: () => this.#giveUp(mediaId),
    });
    this.#graph.add(mediaId, session, this.#listener.tapOf(mediaId));
    this.#hosted.set(mediaId, hosted);
  }

  #drop(mediaId: number, hosted: HostedSession): void {
    this.#hosted.delete(mediaId);
    this.#graph.remove(mediaId);
    this.#pacer.remove(hosted);
    hosted.sockets.close();
    this.#pool.release(hosted.sockets.port);
    // No round follows that would take the last frames along.
    if (this.#pacer.size === 0) this.#listener.post();
  }

  #stop(): void {
    this.#stopped = true;
    for (const [mediaId, hosted] of this.#hosted) {
      hosted.end();
      this.#drop(mediaId, hosted);
    }
    this.#prepared.close();
    this.#pacer.close();
    this.#listener.close();
  }

  #reply(request: number, reply: RtpReply): void {
    this.#post({ type: 'reply', request, reply });
  }

  /** Everything that happens in one turn of the event loop leaves as one message. */
  #post(message: FromRtpThread): void {
    if (this.#outbox.length === 0) {
      this.#options.defer(() => {
        const messages = this.#outbox;
        this.#outbox = [];
        this.#options.post(messages);
      });
    }
    this.#outbox.push(message);
  }
}
