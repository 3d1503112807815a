/** What the RTP layer offers to `media/call`. Sockets, jitter buffers and the pacer live in a worker thread behind this. */
import type { MessagePort } from 'node:worker_threads';
import type { AudioCodec } from '../../contract/audio-codecs';
import type { SuperviseMode } from '../../contract/supervision';
import type { Background } from '../audio/background';

export interface RtpRemote {
  /** From the SDP. */
  readonly address: string;
  readonly port: number;
  readonly codec: AudioCodec;
  readonly payloadType: number;
  /** Of the peer's SDP; null when it has no telephone-event. */
  readonly telephoneEventPayloadType: number | null;
  /** False: keys of whom it is connected to are not pressed here. Default true. */
  readonly relayKeys?: boolean;
  /** Of our SDP, where it may be another; default: as the peer's. */
  readonly localTelephoneEventPayloadType?: number | null;
  /** What the durations of either count. Default: the codec's clock. */
  readonly telephoneEventClockRateHz?: number;
  /** Address the signalling came from: the one other host that RTP may be learned from. */
  readonly signallingAddress: string;
  /** false on hold (sendonly/inactive from the peer): we send nothing and the media timeout rests. */
  readonly send: boolean;
  /** false when the peer only listens (recvonly): the media timeout rests. Default true. */
  readonly receive?: boolean;
  /** Where the peer takes RTCP (a=rtcp); default `port` + 1. */
  readonly rtcpPort?: number;
}

export interface RtpStats {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsLate: number;
  readonly packetsForeign: number;
  /** Frames of 20 ms from the peer that were more than silence. */
  readonly framesHeard: number;
  readonly jitterMs: number;
  /** From RTCP; null until measured. */
  readonly roundTripMs: number | null;
  readonly remoteLossPct: number | null;
  /** E-model estimate (ITU-T G.107), null without packets. */
  readonly mos: number | null;
  readonly maxSendGapMs: number;
}

export interface RtpSessionDelegate {
  onDtmf?(digit: string, durationMs: number): void;
  /** First packet of ours on the wire; `performance.timeOrigin`-based epoch ms with fraction. */
  onFirstPacketSent?(atEpochMs: number): void;
  onFirstPacketReceived?(atEpochMs: number): void;
  /** A queued playback was sent to its last sample. */
  onPlaybackFinished?(playbackId: number): void;
  /** No RTP or RTCP for the timeout of the session, and silence on our side. */
  onMediaTimeout?(): void;
  /** The peer's packets have stopped (said again while they stay away), or are back. */
  onMediaQuiet?(quiet: boolean): void;
  /** Packets come, and none is the peer's as far as its SDP and its signalling tell; said once. */
  onDeaf?(packetsForeign: number): void;
  /** Errors of ours: nothing is sent any more. */
  onFailure?(): void;
}

export interface RtpSession {
  /** Key of this session in AudioBatch; unique in the process. */
  readonly mediaId: number;
  readonly localPort: number;
  delegate: RtpSessionDelegate;
  /** Sets or replaces the remote side; the first call starts the pacer (silence until something plays). */
  setRemote(remote: RtpRemote): void;
  /** Appends PCM (mono, at the graph's rate) to what is playing. `playbackId` is the caller's; chunks of one id must be contiguous. */
  play(playbackId: number, pcm: Int16Array, last: boolean): void;
  /** Drops everything queued within one frame; resolves with the samples of each playback already sent. */
  clear(): Promise<ReadonlyMap<number, number>>;
  /**
   * Presses keys (`0-9*#A-D`; `w` rests half a second) in place of what plays, which waits. Resolves when the last was
   * sent; rejects when the session closed before, or the peer takes no telephone-event.
   */
  sendDigits(digits: string): Promise<void>;
  /** Linear gain of what plays (ducking), 0..1, ramped over one frame. */
  setGain(gain: number): void;
  /**
   * Joins the two peers, both ways and whatever their codecs: each hears the other, and what plays with it; keys pressed
   * by one are pressed for the other. In place of an earlier connection of either. Ends with `disconnect` or `close` of
   * either.
   */
  connect(other: RtpSession): void;
  /** Both are alone again. */
  disconnect(): void;
  /**
   * The peer hears both sides of the other session, and is heard as the mode says: by nobody, by whom the other is
   * connected to, or by that one, the other's peer and its listener. Said again it changes the mode; in place of an earlier one
   * of either. Ends with `close` of either.
   */
  supervise(other: RtpSession, mode: SuperviseMode): void;
  /** What the peer hears while nothing else is to be heard, from its beginning; null: silence. */
  setBackground(source: Background | null): void;
  /** What plays waits, and the background is heard meanwhile; or it goes on where it was. */
  pause(on: boolean): void;
  /** Whether the listener hears the peer. Default true. */
  listen(on: boolean): void;
  /** Bench mode: send back what comes in, decoded and encoded again, on our own schedule. */
  echo(): void;
  close(): Promise<RtpStats>;
}

export interface RtpSessionOptions {
  readonly localAddress: string;
  /** How long nothing may come while we are silent too. Default 30 s. */
  readonly mediaTimeoutMs?: number;
  /** Audio may come from another host than those of SDP and signalling. Default false. */
  readonly anySource?: boolean;
  /**
   * `mediaId` of a session that it is to be connected to: both are in one thread, which is asked for, and served at once, so
   * that no frame waits in between. Default: none.
   */
  readonly beside?: number;
}

export interface RtpEngine {
  start(): Promise<void>;
  /** Opens a port pair of the pool; rejects with code `no_port` when it is exhausted. */
  open(options: RtpSessionOptions): Promise<RtpSession>;
  /** All caller audio goes to the ports that `open` gives, one to each RTP thread, as AudioBatch from now on. */
  connectListener(open: () => MessagePort): void;
  readonly sessionCount: number;
  close(): Promise<void>;
}
