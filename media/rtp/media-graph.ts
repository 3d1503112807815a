/**
 * Who hears whom, of all sessions of the thread; the only place where sessions, sources and taps are put together.
 *
 *   sources, by priority                                   taps
 *   agent's words + other session's peer, else   ──► session's peer ──►   the listener, other session, supervisor
 *   background, else silence
 *     + supervisor, by its mode                    supervisor ◄──  both sides of the session, as its tap hears them
 *
 * Two connected sessions are served by one pacer, each once in 20 ms: a frame waits for less than that in between, and not
 * at all where both are served at once.
 */
import { BackgroundSound } from '../audio/background';
import { ConversationTap, SharedEar } from './conversation-tap';

import type { SuperviseMode } from '../../contract/supervision';
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
  supervisor: { readonly node: Node; readonly mode: SuperviseMode } | null;
  /** Whose supervisor it is. */
  supervised: Node | null;
  /** Who joins in: heard by the peer beside everything else. */
  guest: Node | null;
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
    const alone = { other: null, supervisor: null, supervised: null, guest: null };
    this.#nodes.set(mediaId, { mediaId, session, ear, listening: true, paused: false, background: null, ...alone });
  }

  remove(mediaId: number): void {
    const node = this.#nodes.get(mediaId);
    if (node === undefined) return;
    this.#leave(node);
    if (node.supervisor !== null) this.#leave(node.supervisor.node);
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
    // Who supervises does nothing else.
    for (const node of [one, other]) if (node !== undefined) this.#leave(node);
    if (one === undefined || other === undefined) return;
    one.other = other;
    other.other = one;
    one.session.join(other.session);
    other.session.join(one.session);
    this.#joinIn(one, other);
    this.#changed(one);
  }

  disconnect(mediaId: number): void {
    const one = this.#nodes.get(mediaId);
    const other = one?.other;
    if (one === undefined || other == null) return;
    for (const node of [one, other]) {
      node.other = null;
      node.session.join(null);
      this.#joinIn(node);
      this.#changed(node);
    }
  }

  /** One supervises one other, and is nothing else; said again it changes the mode. One that is gone leaves the other alone. */
  supervise(mediaId: number, otherId: number, mode: SuperviseMode): void {
    if (mediaId === otherId) throw new RangeError('a session cannot supervise itself');
    const node = this.#nodes.get(mediaId);
    const other = this.#nodes.get(otherId);
    if (node === undefined) return;
    if (node.supervised !== other) this.#leave(node);
    if (other === undefined || (other.supervisor?.node === node && other.supervisor.mode === mode)) return;
    if (other.supervisor?.node !== node) {
      this.disconnect(mediaId);
      this.#leave(other);
      for (const { supervisor } of [node, other]) if (supervisor !== null) this.#leave(supervisor.node);
      const tap = new ConversationTap(other.session);
      other.session.monitor(tap);
      node.session.sources.hear(tap);
      node.supervised = other;
    }
    other.supervisor = { node, mode };
    this.#joinIn(other, ...(other.other === null ? [] : [other.other]));
    this.#changed(other);
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
    tapEar(node);
    this.#changed(node);
  }

  /** Whom it supervises goes on without it. */
  #leave(node: Node): void {
    const { supervised } = node;
    if (supervised === null) return;
    node.supervised = null;
    node.session.sources.hear(null);
    supervised.supervisor = null;
    supervised.session.monitor(null);
    this.#joinIn(supervised, ...(supervised.other === null ? [] : [supervised.other]));
    this.#changed(supervised);
  }

  /** The supervisor is heard by whom its mode says. */
  #joinIn(...nodes: readonly Node[]): void {
    for (const node of nodes) {
      const guest = guestOf(node);
      if (node.guest === guest) continue;
      node.guest = guest;
      node.session.sources.hearGuest(guest?.session ?? null);
      tapEar(node);
    }
  }

  #changed(node: Node): void {
    const { mediaId, other, supervisor } = node;
    const pair = other === null ? `session ${mediaId}` : `session ${mediaId} ⇄ session ${other.mediaId}`;
    const parts = [pair, partsOf(node), ...(other === null ? [] : [partsOf(other)])];
    if (supervisor !== null) {
      const { node: who, mode } = supervisor;
      parts.push(`${who.mediaId}: supervises ${mediaId}, ${mode}: source: both sides of session ${mediaId}`);
    }
    this.#onChange(parts.join('; '));
  }
}

/** Whoever barges in on a session, or at least whispers to the one at its other end. */
function guestOf({ supervisor, other }: Node): Node | null {
  if (supervisor?.mode === 'barge') return supervisor.node;
  const far = other?.supervisor ?? null;
  return far === null || far.mode === 'listen' ? null : far.node;
}

function tapEar({ session, ear, listening, guest }: Node): void {
  const shared = guest === null ? ear : new SharedEar(ear, guest.session);
  session.tap(listening ? shared : null);
}

function partsOf({ mediaId, other, listening, paused, background, supervisor, guest }: Node): string {
  const joined = other === null ? [] : [`session ${other.mediaId}`];
  const sources = [
    paused ? 'agent (waits)' : 'agent',
    ...joined,
    ...(background === null ? [] : [background]),
    ...(guest === null ? [] : [`supervisor ${guest.mediaId}`]),
  ].join(', ');
  const taps = [
    ...(listening ? ['ear'] : []),
    ...joined,
    ...(supervisor === null ? [] : [`supervisor ${supervisor.node.mediaId}`]),
  ].join(', ');
  return `${mediaId}: source: ${sources}, tap: ${taps || 'none'}`;
}
