/** What is said in one session, as those of other sessions hear it. */

export interface PeerAudio {
  /** The frame last read; overwritten by the next. */
  readonly pcm: Int16Array;
  /** One more with every frame. */
  readonly framesRead: number;
  /** Audio comes from it, be it silence. */
  readonly sending: boolean;
  /** The frame last read was more than silence. */
  readonly heard: boolean;
}

/** One listener's place in it: from the next frame on, each frame once. */
export class PeerVoice {
  readonly peer: PeerAudio;
  #framesTaken: number;

  constructor(peer: PeerAudio) {
    this.peer = peer;
    this.#framesTaken = peer.framesRead;
  }

  /** Null where none has come since. Both are served in turn: after a stall that has changed their order one is missing. */
  next(): Int16Array | null {
    const { peer } = this;
    if (!peer.sending || peer.framesRead === this.#framesTaken) return null;
    this.#framesTaken = peer.framesRead;
    return peer.pcm;
  }
}
