/**
 * Taps of a session for who listens in or joins in. Both work on frames of one tick, so that what the peer says and what it
 * hears keep their places in time.
 */
import { GRAPH_FRAME_SAMPLES } from '../audio/frame';
import { mixInto } from '../audio/mix';
import { PeerVoice } from './peer-audio';

import type { FrameTap, MediaSession } from './media-session';
import type { PeerAudio } from './peer-audio';

/** Both sides of what is said in a session, as one voice. */
export class ConversationTap implements FrameTap, PeerAudio {
  readonly pcm = new Int16Array(GRAPH_FRAME_SAMPLES);
  readonly sending = true;
  readonly #session: MediaSession;
  #framesRead = 0;

  constructor(session: MediaSession) {
    this.#session = session;
  }

  get framesRead(): number {
    return this.#framesRead;
  }

  get heard(): boolean {
    return this.#session.heard || this.#session.sources.talking;
  }

  frame(pcm: Int16Array, _received: boolean, sent: Int16Array | null): void {
    this.pcm.set(pcm);
    if (sent !== null) mixInto(this.pcm, sent);
    this.#framesRead++;
  }
}

/** An ear that hears one more beside the peer. */
export class SharedEar implements FrameTap {
  readonly #ear: FrameTap;
  readonly #guest: PeerVoice;
  readonly #mixed = new Int16Array(GRAPH_FRAME_SAMPLES);

  constructor(ear: FrameTap, guest: PeerAudio) {
    this.#ear = ear;
    this.#guest = new PeerVoice(guest);
  }

  frame(pcm: Int16Array, received: boolean, sent: Int16Array | null): void {
    const said = this.#guest.next();
    if (said === null) {
      this.#ear.frame(pcm, received, sent);
      return;
    }
    this.#mixed.set(pcm);
    mixInto(this.#mixed, said);
    this.#ear.frame(this.#mixed, true, sent);
  }
}
