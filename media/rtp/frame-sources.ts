/**
 * What one session sends, frame by frame: what the agent plays and what the peer of another session says, mixed; where
 * there is neither, a background; else nothing. Over all of it, who joins in.
 */
import { GRAPH_FRAME_SAMPLES } from '../audio/frame';
import { mixInto } from '../audio/mix';
import { PeerVoice } from './peer-audio';
import { PlaybackQueue } from './playback-queue';

import type { BackgroundSound } from '../audio/background';
import type { PeerAudio } from './peer-audio';

export class FrameSources {
  readonly queue: PlaybackQueue;
  background: BackgroundSound | null = null;
  /** What the agent plays waits, and nothing else. */
  paused = false;
  readonly #pcm = new Int16Array(GRAPH_FRAME_SAMPLES);
  readonly #mixed = new Int16Array(GRAPH_FRAME_SAMPLES);
  #peer: PeerVoice | null = null;
  #guest: PeerVoice | null = null;
  #withoutGuest: Int16Array | null = null;
  #talking = false;

  constructor(onPlaybackFinished: (playbackId: number) => void) {
    this.queue = new PlaybackQueue(onPlaybackFinished);
  }

  /** The last frame was something to hear. */
  get talking(): boolean {
    return this.#talking;
  }

  /** The last frame but for who joins in: what a guest may hear, who would else hear itself. */
  get withoutGuest(): Int16Array | null {
    return this.#withoutGuest;
  }

  /** What `peer` says is sent, from its next frame on. */
  hear(peer: PeerAudio | null): void {
    this.#peer = voiceOf(peer, this.#peer);
  }

  /** The same of one who is heard beside everything else. */
  hearGuest(guest: PeerAudio | null): void {
    this.#guest = voiceOf(guest, this.#guest);
  }

  /** The next 20 ms, valid until the next call; null where there is nothing to send. What plays may have to wait. */
  frame(wait: boolean): Int16Array | null {
    const frame = this.#conversation(wait);
    this.#withoutGuest = frame;
    const guest = this.#guest;
    const said = guest === null ? null : guest.next();
    if (guest === null || said === null) return frame;
    if (guest.peer.heard) this.#talking = true;
    if (frame === null) return said;
    this.#mixed.set(frame);
    mixInto(this.#mixed, said);
    return this.#mixed;
  }

  /** A frame in which nothing can be sent. */
  rest(): void {
    this.#talking = false;
    this.#withoutGuest = null;
  }

  #conversation(wait: boolean): Int16Array | null {
    const voice = this.#peer;
    const said = voice === null ? null : voice.next();
    const plays = !wait && !this.paused && this.queue.frame(this.#pcm);
    this.#talking = plays || (said !== null && voice !== null && voice.peer.heard);
    if (plays) {
      if (said !== null) mixInto(this.#pcm, said);
      return this.#pcm;
    }
    if (voice !== null && voice.peer.sending) return said;
    if (wait || this.background === null) return null;
    this.background.frame(this.#pcm);
    this.#talking = true;
    return this.#pcm;
  }
}

function voiceOf(peer: PeerAudio | null, before: PeerVoice | null): PeerVoice | null {
  if (peer === null) return null;
  return before?.peer === peer ? before : new PeerVoice(peer);
}
