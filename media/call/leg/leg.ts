/**
 * One leg of a call: a SIP dialog, its offers and answers, and its RTP session, with what came of them (where to send, in
 * which codec, who is on hold). It belongs to one call, which closes it; who speaks on it is the call's business. Another
 * dialog may take the place of its own (RFC 3891): the RTP session stays, and what is heard and said on it goes on.
 *
 *   new ──open()──► open ──start()──► established ──silence()──► over ──close()──► closed
 *    └───────────────┴────────────────────────────────────────────↗
 */
import type { AudioCodec } from '../../../contract/audio-codecs';
import type { DtmfMode } from '../../../contract/directory';
import type { Clock } from '../../clock';
import type { RtpEngine, RtpRemote, RtpSession, RtpStats } from '../../rtp/rtp-session';
import type { DialogDelegate, InboundDialog, PeerLife } from '../../sip/dialog';
import { KeyPresses } from '../key-presses';
import { InfoKeys } from './info-keys';
import { LegNegotiation, type LocalMedia } from './leg-negotiation';
import { OwnHold, type HoldResult } from './own-hold';

/** What a leg asks of its dialog in either direction. */
type LegDialog = Pick<
  InboundDialog,
  | 'probe'
  | 'reoffer'
  | 'refer'
  | 'info'
  | 'bye'
  | 'peerAllows'
  | 'peerSupports'
  | 'remoteTarget'
  | 'localUri'
  | 'replacesAtPeer'
  | 'delegate'
>;

export interface KeyPress {
  readonly by: 'event' | 'info';
  /** Told before, the other way: no press of its own. */
  readonly twin: boolean;
}

/** Who has put the leg on hold. */
export interface HoldState {
  readonly ours: boolean;
  readonly theirs: boolean;
}

/** Of one that is over only `onPlaybackFinished`, `onDeaf` and the first packets are told. */
export interface LegDelegate {
  onDigit(digit: string, press: KeyPress): void;
  /** With every SDP that comes into force, the first too, whether it changes anything or not. */
  onHold(hold: HoldState): void;
  onPlaybackFinished(playbackId: number): void;
  onMediaTimeout(): void;
  /** The peer's packets have stopped, or are back. */
  onMediaQuiet(quiet: boolean): void;
  /** Packets have come, and none of the peer; said once. */
  onDeaf(packetsForeign: number): void;
  /** Our media has failed. */
  onFailure(): void;
  /** Monotonic ms. */
  onFirstPacketSent(atMs: number): void;
  onFirstPacketReceived(atMs: number): void;
}

export interface LegOptions {
  readonly engine: RtpEngine;
  readonly clock: Clock;
  /** Of its trunk, best first; default, and null: all. */
  readonly codecs?: readonly AudioCodec[] | null | undefined;
  /** Of its trunk; default auto. */
  readonly dtmfMode?: DtmfMode | undefined;
  readonly localMedia: () => LocalMedia;
  readonly delegate: LegDelegate;
}

export interface LegMedia {
  readonly localAddress: string;
  readonly mediaTimeoutSeconds: number;
  /** RTP may come from another host than those of SDP and signalling. */
  readonly anySource?: boolean;
  /** Whom it is to be connected to, if that has its session. */
  readonly beside?: Leg | undefined;
}

export type ReofferAnswer = { readonly sdp: string } | { readonly status: 488 | 491 };

export class Leg {
  /** Null until there is one. */
  dialog: LegDialog | null = null;
  readonly #options: LegOptions;
  readonly #presses = new KeyPresses();
  readonly #infoKeys: InfoKeys;
  readonly #hold = new OwnHold((held, agreed) => this.#offerHold(held, agreed));
  #negotiation: LegNegotiation;
  #rtp: RtpSession | null = null;
  #remote: RtpRemote | null = null;
  #over = false;
  #closed: Promise<RtpStats | null> | null = null;
  #deafTold = false;

  constructor(options: LegOptions) {
    this.#options = options;
    const { codecs, localMedia } = options;
    this.#infoKeys = new InfoKeys(options.clock, () => (this.#over ? null : this.dialog));
    this.#negotiation = new LegNegotiation({ codecs, localMedia, localPort: () => this.localPort });
  }

  /** With the peer of its dialog. */
  get negotiation(): LegNegotiation {
    return this.#negotiation;
  }

  /** Null before it is open, and once it is over. */
  get rtp(): RtpSession | null {
    return this.#over ? null : this.#rtp;
  }

  /** Where we send; null before it is established, and once it is over. */
  get remote(): RtpRemote | null {
    return this.#over ? null : this.#remote;
  }

  get hold(): HoldState {
    return { ours: this.#hold.held, theirs: this.remote?.send === false };
  }

  /** The peer may agree to a change of our hold at any moment. */
  get holdChanging(): boolean {
    return this.#hold.changing;
  }

  /** How we press keys on it now; null: we cannot. */
  get keysBy(): 'rfc4733' | 'info' | null {
    const { remote } = this;
    if (remote === null) return null;
    const { dtmfMode = 'auto' } = this.#options;
    if (dtmfMode === 'info') return 'info';
    if (remote.telephoneEventPayloadType !== null) return 'rfc4733';
    return dtmfMode === 'auto' ? 'info' : null;
  }

  get localPort(): number {
    if (!this.#rtp) throw new Error('the media of this leg are not open');
    return this.#rtp.localPort;
  }

  /** Rejects with code `no_port`. A session that opens when the leg is over is closed at once. */
  async open({ localAddress, mediaTimeoutSeconds, anySource = false, beside }: LegMedia): Promise<void> {
    const rtp = await this.#options.engine.open({
      localAddress,
      mediaTimeoutMs: mediaTimeoutSeconds * 1000,
      ...(anySource ? { anySource } : {}),
      ...(beside?.rtp ? { beside: beside.rtp.mediaId } : {}),
    });
    if (this.#over) {
      await rtp.close();
      return;
    }
    this.#rtp = rtp;
    this.#listen(rtp);
  }

  /** Both sides' SDP is known: packets flow. */
  start(remote: RtpRemote): void {
    if (this.rtp) this.#setRemote(remote);
  }

  /** What its dialog tells of the session, or one that is to be its dialog. */
  dialogDelegate(negotiation = this.negotiation): DialogDelegate {
    const isOurs = (): boolean => this.remote !== null && negotiation === this.negotiation;
    return {
      onReoffer: (sdp) => (isOurs() ? this.#reoffered(sdp) : { status: 491 }),
      onRefreshOffer: () => (isOurs() ? negotiation.refreshOffer() : null),
      onRefreshAnswer: (sdp) => {
        if (isOurs()) this.#update(negotiation.readAnswer(sdp));
      },
      onDtmf: (digit) => {
        if (negotiation !== this.negotiation) return;
        this.#digit(digit, { by: 'info', twin: !this.#presses.info(digit, this.#options.clock.now()) });
      },
    };
  }

  /** For a dialog that is to take the place of this one: the same port, and our hold goes on. */
  nextNegotiation(signallingAddress: () => string | null): LegNegotiation {
    const { codecs } = this.#options;
    const { localAddress } = this.#options.localMedia();
    const next = new LegNegotiation({
      codecs,
      localPort: () => this.localPort,
      localMedia: () => ({ localAddress, signallingAddress: signallingAddress() }),
    });
    next.direction = this.negotiation.direction;
    return next;
  }

  /** Another peer is at the other end from now on, where `start` says. Gives the dialog before, which is nobody's now. */
  succeed(dialog: LegDialog, negotiation: LegNegotiation): LegDialog | null {
    const before = this.dialog;
    this.dialog = dialog;
    this.#negotiation = negotiation;
    return before;
  }

  /**
   * ACK of a re-INVITE that asked for our offer. A peer that leaves its answer out, or gives one that is of no use, has
   * changed nothing: the media agreed before go on (RFC 3261 §14.1).
   */
  reofferAnswered(sdp: string | null): void {
    this.#update(this.negotiation.takeAnswer(sdp));
  }

  /**
   * Puts the peer on hold, or takes it back: music for it, nothing of it for us. Known when it has answered; nothing
   * changes before. Null: too many such changes wait already.
   */
  putOnHold(held: boolean): Promise<HoldResult> | null {
    return this.#hold.change(held);
  }

  /** Its peer is gone, and somebody else is to come: as on hold, nothing is sent and nothing waited for. */
  suspend(): void {
    if (this.remote) this.#setRemote({ ...this.remote, send: false });
  }

  /**
   * Presses keys (`0-9*#A-D`; `w` rests half a second). Resolves when the last was sent, by INFO when it was taken; rejects when
   * one was not, or the leg is over. Null: the peer takes none.
   */
  press(keys: string): Promise<void> | null {
    if (this.keysBy === 'info') return this.#infoKeys.press(keys);
    return this.keysBy === null ? null : (this.rtp?.sendDigits(keys) ?? null);
  }

  /** A key that the peer of another leg pressed. On hold it would come out of place. */
  relay(key: string): void {
    if (this.remote?.send !== true) return;
    if (this.keysBy === 'info') this.#infoKeys.relay(key);
    else if (this.keysBy === 'rfc4733') void this.rtp?.sendDigits(key).catch(() => undefined); // parted, or closed
  }

  /** Without a dialog nobody can be gone. */
  probe(): Promise<PeerLife> {
    return this.dialog?.probe() ?? Promise.resolve('alive');
  }

  /** It is over: nothing is sent any more, but its RTP session still tells how much the peer heard. */
  silence(): void {
    if (this.remote) this.#rtp?.setRemote({ ...this.remote, send: false });
    this.#over = true;
  }

  /** Idempotent; the last statistics, null when no session was open. */
  close(): Promise<RtpStats | null> {
    this.#over = true;
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<RtpStats | null> {
    const stats = this.#rtp ? await this.#rtp.close() : null;
    // Too short a call to be told in its course.
    if (stats && stats.packetsReceived === 0 && stats.packetsForeign > 0) this.#deaf(stats.packetsForeign);
    return stats;
  }

  /** re-INVITE or UPDATE: hold, resume, other address or codec; null asks for our offer. */
  #reoffered(sdp: string | null): ReofferAnswer {
    // An offer while another is unanswered, or before the call stands: RFC 3261 §14.2.
    if (!this.remote || this.negotiation.offerOutstanding) return { status: 491 };
    if (sdp === null) return { sdp: this.negotiation.makeOffer() };
    const answer = this.negotiation.answer(sdp);
    if (!answer) return { status: 488 };
    this.#setRemote(answer.remote);
    return { sdp: answer.sdp };
  }

  #update(remote: RtpRemote | null): void {
    if (remote && this.remote) this.#setRemote(remote);
  }

  async #offerHold(held: boolean, agreed: () => void): Promise<HoldResult> {
    const { negotiation, dialog } = this;
    if (!this.remote || !dialog) return { ok: false, status: null };
    const direction = held ? 'sendonly' : 'sendrecv';
    const outcome = await dialog.reoffer(() => negotiation.offer(direction));
    if (!outcome.ok) return outcome;
    // Whom it was agreed with may have been replaced meanwhile.
    const remote = this.remote && dialog === this.dialog ? negotiation.readAnswer(outcome.sdp) : null;
    if (!remote) return { ok: false, status: null };
    negotiation.direction = direction;
    agreed();
    this.#rtp?.pause(held);
    this.#rtp?.setBackground(held ? 'music' : null);
    this.#setRemote(remote);
    return { ok: true };
  }

  #setRemote(remote: RtpRemote): void {
    this.#remote = remote;
    const { ours } = this.hold;
    // Whom we hold need not send anything, whatever it has answered.
    const agreed = ours ? { ...remote, receive: false } : remote;
    this.#rtp?.setRemote(this.keysBy === 'info' ? { ...agreed, relayKeys: false } : agreed);
    this.#options.delegate.onHold(this.hold);
  }

  #listen(rtp: RtpSession): void {
    const { clock, delegate } = this.#options;
    const unlessOver = (tell: () => void): void => {
      if (!this.#over) tell();
    };
    rtp.delegate = {
      onDtmf: (digit, durationMs) => {
        this.#digit(digit, { by: 'event', twin: !this.#presses.event(digit, durationMs, clock.now()) });
      },
      onFirstPacketSent: (at) => delegate.onFirstPacketSent(at - clock.timeOriginMs),
      onFirstPacketReceived: (at) => delegate.onFirstPacketReceived(at - clock.timeOriginMs),
      onPlaybackFinished: (id) => delegate.onPlaybackFinished(id),
      onMediaTimeout: () => unlessOver(() => delegate.onMediaTimeout()),
      onMediaQuiet: (quiet) => unlessOver(() => delegate.onMediaQuiet(quiet)),
      onDeaf: (packetsForeign) => this.#deaf(packetsForeign),
      onFailure: () => unlessOver(() => delegate.onFailure()),
    };
  }

  #digit(digit: string, press: KeyPress): void {
    if (!this.#over) this.#options.delegate.onDigit(digit, press);
  }

  #deaf(packetsForeign: number): void {
    if (this.#deafTold) return;
    this.#deafTold = true;
    this.#options.delegate.onDeaf(packetsForeign);
  }
}
