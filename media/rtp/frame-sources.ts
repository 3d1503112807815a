/**
 * What one session sends, frame by frame: what the agent plays and what the peer of another session says, mixed; where
 * there is neither, a background; else nothing.
 */
import { EDGE_FRAME_SAMPLES } from '../audio/frame';
import { mixInto } from '../audio/mix';
import { PlaybackQueue } from './playback-queue';

import type { BackgroundSound } from '../audio/background';

/** A peer as those hear it who are joined to it. */
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

export class FrameSources {
  readonly queue: PlaybackQueue;
  background: BackgroundSound | null = null;
  /** What the agent plays waits, and nothing else. */
  paused = false;
  readonly #pcm = new Int16Array(EDGE_FRAME_SAMPLES);
  #peer: PeerAudio | null = null;
  #framesTaken = 0;
  #talking = false;

  constructor(onPlaybackFinished: (playbackId: number) => void) {
    this.queue = new PlaybackQueue(onPlaybackFinished);
  }

  /** The last frame was something to hear. */
  get talking(): boolean {
    return this.#talking;
  }

  /** What `peer` says is sent, from its next frame on. */
  hear(peer: PeerAudio | null): void {
    this.#peer = peer;
    this.#framesTaken = peer?.framesRead ?? 0;
  }

  /** The next 20 ms, valid until the next call; null where there is nothing to send. What plays may have to wait. */
  frame(wait: boolean): Int16Array | null {
    const peer = this.#peer?.sending === true ? this.#peer : null;
    // Both are served in turn. Where a stall has changed their order, a frame is missing: none is sent twice.
    const said = peer !== null && peer.framesRead !== this.#framesTaken ? peer.pcm : null;
    if (peer !== null) this.#framesTaken = peer.framesRead;
    const plays = !wait && !this.paused && this.queue.frame(this.#pcm);
    this.#talking = plays || (said !== null && peer?.heard === true);
    if (plays) {
      if (said !== null) mixInto(this.#pcm, said);
      return this.#pcm;
    }
    if (peer !== null) return said;
    if (wait || this.background === null) return null;
    this.background.frame(this.#pcm);
    this.#talking = true;
    return this.#pcm;
  }

  /** A frame in which nothing can be sent. */
  rest(): void {
    this.#talking = false;
  }
}
