/**
 * The RTP layer as the main thread sees it: the RTP threads, and over which of them sessions are spread. A session that is
 * opened `beside` another comes into that one's thread: all legs of a call share one.
 */
import { availableParallelism } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { RtpError } from './rtp-error';
import type { RtpEngine, RtpSession, RtpSessionOptions } from './rtp-session';
import { RtpWorker } from './rtp-worker';
import type { RtpSessionNews, RtpThreadOptions } from './thread-messages';
import { ThreadedRtpSession } from './threaded-session';

export interface ThreadedRtpEngineOptions extends RtpThreadOptions {
  /** Default: one for each processor but one, four at most. */
  readonly threads?: number;
  /** A thread died, its calls have no media any more: for the process to end and be started anew. */
  readonly onFailure?: (error: Error) => void;
  /** An error of ours that one session (null: all of them) survived, or did not: for the log. */
  readonly onFault?: (mediaId: number | null, message: string) => void;
  /** The sessions that a command has just joined, parted or given another source or listener: for the log. */
  readonly onGraph?: (graph: string) => void;
}

const MOST_THREADS = 4;

/** A thread, and how many sessions it has or is about to have. */
interface Place {
  readonly worker: RtpWorker;
  sessions: number;
}

export class ThreadedRtpEngine implements RtpEngine {
  readonly #options: ThreadedRtpEngineOptions;
  readonly #sessions = new Map<number, { readonly session: ThreadedRtpSession; readonly place: Place }>();
  readonly #places: readonly Place[];
  #lastMediaId = 0;

  constructor(options: ThreadedRtpEngineOptions) {
    this.#options = options;
    const { threads = Math.min(availableParallelism() - 1, MOST_THREADS), allowPrivateTargets = true } = options;
    const { portsAhead = 0 } = options;
    this.#places = shares(options, Math.max(1, threads)).map((range, i) => ({
      worker: new RtpWorker({
        thread: { ...range, allowPrivateTargets, portsAhead },
        name: `rtp ${i + 1}`,
        onNews: (news) => this.#deliver(news),
        onFault: (mediaId, message) => options.onFault?.(mediaId, message),
        onGraph: (graph) => options.onGraph?.(graph),
        onFailure: (error) => options.onFailure?.(error),
      }),
      sessions: 0,
    }));
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  async start(): Promise<void> {
    await Promise.all(this.#places.map(({ worker }) => worker.start()));
  }

  async open(options: RtpSessionOptions): Promise<RtpSession> {
    const beside = options.beside === undefined ? undefined : this.#sessions.get(options.beside);
    const places = beside === undefined ? this.#places.toSorted((a, b) => a.sessions - b.sessions) : [beside.place];
    for (const [i, place] of places.entries()) {
      try {
        return await this.#openIn(place, options);
      } catch (error) {
        const another = error instanceof RtpError && error.code === 'no_port' && i + 1 < places.length;
        if (!another) throw error;
      }
    }
    throw new RtpError('closed', 'there is no RTP thread');
  }

  connectListener(open: () => MessagePort): void {
    for (const { worker } of this.#places) worker.post({ type: 'listener', port: open() });
  }

  async close(): Promise<void> {
    await Promise.all(this.#places.map(({ worker }) => worker.close()));
    this.#sessions.clear();
  }

  async #openIn(place: Place, options: RtpSessionOptions): Promise<RtpSession> {
    const mediaId = ++this.#lastMediaId;
    const { worker } = place;
    place.sessions++;
    try {
      const localPort = await worker.open(mediaId, options);
      const onClosed = (): void => {
        if (this.#sessions.delete(mediaId)) place.sessions--;
      };
      const session = new ThreadedRtpSession({ worker, mediaId, localPort, onClosed });
      this.#sessions.set(mediaId, { session, place });
      return session;
    } catch (error) {
      place.sessions--;
      throw error;
    }
  }

  /** What one call makes of its news is its own affair: the others in the same message get theirs. */
  #deliver(news: RtpSessionNews): void {
    try {
      this.#sessions.get(news.mediaId)?.session.receive(news);
    } catch (error) {
      this.#options.onFault?.(news.mediaId, error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
}

/** The range of ports in as many parts as there are threads; fewer, where some would have none. */
function shares({ portMin, portMax }: RtpThreadOptions, threads: number): RtpThreadOptions[] {
  const first = portMin + (portMin % 2);
  const pairs = Math.max(1, Math.floor((portMax - first + 1) / 2));
  const parts = Math.min(threads, pairs);
  return Array.from({ length: parts }, (_, i) => ({
    portMin: first + 2 * Math.floor((i * pairs) / parts),
    portMax: i + 1 === parts ? portMax : first + 2 * Math.floor(((i + 1) * pairs) / parts) - 1,
  }));
}
