/** A session with its sockets, behind a fence: what a peer's packet or a frame breaks is this session's affair. */
import type { MediaSession } from './media-session';
import type { PacedSession } from './pacer';
import type { PacketReceiver, SocketPair } from './socket-pair';

/** Failures of one session, after which its call is given up: never the thread. */
const ERROR_BUDGET = 50;

export interface HostedSessionOptions {
  readonly session: MediaSession;
  readonly sockets: SocketPair;
  readonly beside: number | null;
  readonly now: () => number;
  /** The first error. */
  readonly onFault: (error: unknown) => void;
  readonly onBudgetSpent: () => void;
}

export class HostedSession implements PacedSession, PacketReceiver {
  readonly session: MediaSession;
  readonly sockets: SocketPair;
  /** The session that is served in the same slot, for those that it is to hear and be heard by. */
  readonly beside: number | null;
  readonly #options: HostedSessionOptions;
  #errors = 0;

  constructor(options: HostedSessionOptions) {
    this.#options = options;
    this.session = options.session;
    this.sockets = options.sockets;
    this.beside = options.beside;
    this.sockets.owner = this;
  }

  // Each has its own `try`: handing the work to one that has it would make a function of every packet.
  receiveRtp(bytes: Uint8Array, address: string, port: number): void {
    try {
      this.session.receiveRtp(bytes, address, port, this.#options.now());
    } catch (error) {
      this.#failed(error);
    }
  }

  receiveRtcp(bytes: Uint8Array, address: string, port: number): void {
    try {
      this.session.receiveRtcp(bytes, address, port, this.#options.now());
    } catch (error) {
      this.#failed(error);
    }
  }

  onRead(nowMs: number, skipped: number): void {
    try {
      this.session.read(nowMs, skipped);
    } catch (error) {
      this.#failed(error);
    }
  }

  onSend(nowMs: number): void {
    try {
      this.session.send(nowMs);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** With the thread, whoever still has it. */
  end(): void {
    try {
      this.session.close(this.#options.now());
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#errors++ === 0) this.#options.onFault(error);
    if (this.#errors === ERROR_BUDGET) this.#options.onBudgetSpent();
  }
}
