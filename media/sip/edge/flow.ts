import type { SipPeer, SipTransport } from '../peer';

/**
 * Where a message came from and where an answer goes: a UDP socket with a peer, or one TCP connection (RFC 5626 §3.3
 * calls that a flow).
 */
export interface Flow {
  readonly transport: SipTransport;
  readonly peer: SipPeer;
  /** Address of the socket on our side as bound; may be a wildcard. */
  readonly localAddress: string;
  /** A reliable flow needs no retransmissions (RFC 3261 §17). */
  readonly reliable: boolean;
  /** False once the connection is gone. A UDP flow is always open. */
  readonly open: boolean;
  /** @throws Error when the flow is closed or the socket refuses */
  send(data: Buffer): void;
  /** Calls back when the network reports the peer as unreachable. Returns the way to stop listening. */
  onFailure(listener: (error: Error) => void): () => void;
}

export type MessageSink = (bytes: Buffer, flow: Flow) => void;
