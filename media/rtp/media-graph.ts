/**
 * Who hears whom, of all sessions of the thread; the only place where sessions, sources and taps are put together.
 *
 *   sources, by priority                                   taps
 *   agent's words + other session's peer, else   ──► session's peer ──►   the listener, other session
 *   background, else silence
 *
 * Two connected sessions are served by one pacer, each once in 20 ms: a frame waits for less than that in between.
 */
import { BackgroundSound } from '../audio/background';

import type { Background } from '../audio/background';
import type { FrameTap, MediaSession } from './media-session';

interface Node {
  readonly mediaId: number;
  readonly session: MediaSession;
  /** The listener's. */
  readonly ear: FrameTap;
  listening: boolean;
  paused: boolean;
  background: Background | null;
  other: Node | null;
}

export class MediaGraph {
  readonly #nodes = new Map<number, Node>();
  readonly #onChange: (graph: string) => void;

  /** `onChange` is given the sessions concerned, in words. */
  constructor(onChange: (graph: string) => void) {
    this.#onChange = onChange;
  }

  add(mediaId: number, session: MediaSession, ear: FrameTap): void {
    session.tap(ear);
    this.#nodes.set(mediaId, { mediaId, session, ear, listening: true, paused: false, background: null, other: null });
  }

  remove(mediaId: number): void {
    this.disconnect(mediaId);
    this.#nodes.delete(mediaId);
  }

  /** Either leaves whom it was connected to. One that is gone leaves the other alone. */
  connect(mediaId: number, otherId: number): void {
    if (mediaId === otherId) throw new RangeError('a session cannot be connected to itself');
    const one = this.#nodes.get(mediaId);
    const other = this.#nodes.get(otherId);
    if (one !== undefined && one.other !== null && one.other === other) return;
    this.disconnect(mediaId);
    this.disconnect(otherId);
    if (one === undefined || other === undefined) return;
    one.other = other;
    other.other = one;
    one.session.join(other.session);
    other.session.join(one.session);
    this.#changed(one);
  }

  disconnect(mediaId: number): void {
    const one = this.#nodes.get(mediaId);
    const other = one?.other;
    if (one === undefined || other == null) return;
    for (const node of [one, other]) {
      node.other = null;
      node.session.join(null);
      this.#changed(node);
    }
  }

  setBackground(mediaId: number, source: Background | null): void {
    const node = this.#nodes.get(mediaId);
    if (node === undefined || node.background === source) return;
    node.background = source;
    node.session.sources.background = source === null ? null : new BackgroundSound(source);
    this.#changed(node);
  }

  pause(mediaId: number, on: boolean): void {
    const node = this.#nodes.get(mediaId);
    if (node === undefined || node.paused === on) return;
    node.paused = on;
    node.session.sources.paused = on;
    this.#changed(node);
  }

  listen(mediaId: number, on: boolean): void {
    const node = this.#nodes.get(mediaId);
    if (node === undefined || node.listening === on) return;
    node.listening = on;
    node.session.tap(on ? node.ear : null);
    this.#changed(node);
  }

  #changed(node: Node): void {
    const { mediaId, other } = node;
    const pair = other === null ? `session ${mediaId}` : `session ${mediaId} ⇄ session ${other.mediaId}`;
    this.#onChange([pair, partsOf(node), ...(other === null ? [] : [partsOf(other)])].join('; '));
  }
}

function partsOf({ mediaId, other, listening, paused, background }: Node): string {
  const joined = other === null ? [] : [`session ${other.mediaId}`];
  const sources = [paused ? 'agent (waits)' : 'agent', ...joined, ...(background === null ? [] : [background])].join(
    ', ',
  );
  const taps = [...(listening ? ['ear'] : []), ...joined].join(', ') || 'none';
  return `${mediaId}: source: ${sources}, tap: ${taps}`;
}
