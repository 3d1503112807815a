/**
 * One call's media in the RTP thread: receiver and transmitter on one frame clock, RTCP, and the watch over a silent
 * peer. Knows no sockets and no timers: packets and ticks are handed in, packets and events go out through its options.
 *
 *   opened ──setRemote──► running ──close──► closed
 */
import { canonicalAddress, isUnspecified, mayReach } from '../../ops/address-scope';
import { FRAME_MS, GRAPH_FRAME_SAMPLES } from '../audio/frame';
import { createCodec } from '../codec/codec';
import { atGraphRate } from '../codec/graph-rate-codec';
import { isRtcp } from './packet';
import { estimateMos } from './quality';
import { Receiver } from './receiver';
import { buildReport, compactNtp, ntpTime, readRtcp, rtcpSenderSsrc } from './rtcp';
import type { RtpRemote, RtpStats } from './rtp-session';
import { Transmitter } from './transmitter';

import type { AudioCodec } from '../../contract/audio-codecs';
import type { Codec } from '../codec/codec';
import type { FrameSources } from './frame-sources';
import type { PeerAudio } from './peer-audio';

/** A peer whose packets stop for this long is looked for by signalling, and again while they stay away. */
const QUIET_MS = 10_000;
const QUIET_AGAIN_MS = 30_000;
/** Somebody's packets come, and none from where the peer should be: told this long after the start. */
const DEAF_MS = 2000;
/** Speech waits this long for the first packet of a peer behind a NAT. */
const NAT_WAIT_MS = 500;
/** Report interval, spread by half as RFC 3550 §6.2 wants. */
const RTCP_INTERVAL_MS = 5000;

/** A longer stall (a suspended machine) is not caught up with. */
const MAX_SKIPPED_READS = 50;

interface MediaSessionEvents {
  onDtmf(digit: string, durationMs: number): void;
  onFirstPacketSent(atEpochMs: number): void;
  onFirstPacketReceived(atEpochMs: number): void;
  onPlaybackFinished(playbackId: number): void;
  onMediaTimeout(): void;
  /** True: no packets any more; said again while that lasts. False: they are back. */
  onMediaQuiet(quiet: boolean): void;
  /** Packets have come, all of them foreign. */
  onDeaf(packetsForeign: number): void;
}

/** Listens to a session. */
export interface FrameTap {
  /**
   * A frame of the peer; `sent`: what left in the same tick but for who joins in, before its encoding; null where a stall
   * swallowed it.
   */
  frame(pcm: Int16Array, received: boolean, sent: Int16Array | null): void;
}

export interface MediaSessionOptions {
  readonly sendRtp: (packet: Uint8Array, port: number, address: string) => void;
  readonly sendRtcp: (packet: Uint8Array, port: number, address: string) => void;
  /** RTP of this peer alone is wanted, and is what is sent to, until it is said otherwise; null: of anybody. */
  readonly connectRtp: (address: string | null, port: number) => void;
  readonly events: MediaSessionEvents;
  readonly allowPrivateTargets: boolean;
  /** The peer's audio may come from another host than those of its SDP and its signalling. */
  readonly anySource?: boolean;
  /** From the start, from the last packet and from our last word on. */
  readonly mediaTimeoutMs: number;
  readonly cname: string;
  /** The monotonic clock of all `nowMs`. */
  readonly now: () => number;
  /** Epoch ms of its 0, so that wall clock and monotonic clock are one. */
  readonly epochOffsetMs: number;
  readonly random?: () => number;
  /** Default: ours. */
  readonly createCodec?: (name: AudioCodec) => Codec;
}

export class MediaSession implements PeerAudio {
  readonly #options: MediaSessionOptions;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;
  readonly #pcm = new Int16Array(GRAPH_FRAME_SAMPLES);
  #codec: Codec | null = null;
  #framesRead = 0;
  /** Of the frame last read, at least half. */
  #received = false;
  #tap: FrameTap | null = null;
  #monitor: FrameTap | null = null;
  #joined: MediaSession | null = null;
  #remote: RtpRemote | null = null;
  #remoteAddress = '';
  #maySendToSdp = false;
  #connected = false;
  #speechFromMs = 0;

  /** Of the start, of the last packet and of our last word. */
  #startMs = 0;
  #aliveMs = 0;
  #spokeMs = 0;
  #nextQuietMs = 0;
  #quiet = false;
  #deafTold = false;
  #sentAny = false;
  #receivedAny = false;

  #nextReportMs = 0;
  #rtcpOverRtp = false;
  #reportedPackets = 0;
  #lastSenderReport = 0;
  #lastSenderReportMs = 0;
  #roundTripMs: number | null = null;
  #remoteLossPct: number | null = null;

  constructor(options: MediaSessionOptions) {
    this.#options = options;
    this.#receiver = new Receiver({
      createCodec: (name) => this.#createCodec(name),
      onDigit: (digit, durationMs) => this.#pressed(digit, durationMs),
    });
    this.#transmitter = new Transmitter({
      send: (packet) => this.#sendRtp(packet),
      onPlaybackFinished: (playbackId) => options.events.onPlaybackFinished(playbackId),
    });
  }

  /** The frame that was last taken from the jitter buffer; overwritten by the next. */
  get pcm(): Int16Array {
    return this.#pcm;
  }

  get framesRead(): number {
    return this.#framesRead;
  }

  /** Not before its first packet, and not while it holds us or only listens. */
  get sending(): boolean {
    return this.#receivedAny && this.#remote !== null && this.#remote.receive !== false;
  }

  get heard(): boolean {
    return this.#receiver.heard;
  }

  get sources(): FrameSources {
    return this.#transmitter.sources;
  }

  get keys(): Transmitter['keys'] {
    return this.#transmitter.keys;
  }

  setRemote(remote: RtpRemote, nowMs: number): void {
    const first = this.#remote === null;
    const resumed = !first && this.#watched === false;
    this.#remote = remote;
    const address = canonicalAddress(remote.address);
    const signallingAddress = canonicalAddress(remote.signallingAddress);
    // An unspecified address is the old way to hold (RFC 2543): the source stays what it was.
    if (!isUnspecified(address)) {
      this.#remoteAddress = address;
      const { allowPrivateTargets, anySource = false } = this.#options;
      this.#maySendToSdp = mayReach(address, signallingAddress, allowPrivateTargets);
      // A source address is easily forged: a packet that seems to come from a host we must not reach proves nothing.
      const host = this.#maySendToSdp || allowPrivateTargets ? address : signallingAddress;
      const rtcpPort = remote.rtcpPort ?? remote.port + 1;
      const mayLearn = anySource
        ? (source: string): boolean => mayReach(source, signallingAddress, allowPrivateTargets)
        : undefined;
      this.#receiver.source.expect({ address: host, port: remote.port, rtcpPort, signallingAddress, mayLearn });
    }
    this.#connect(nowMs);
    this.#setFormats(remote);
    if (first) {
      this.#startMs = nowMs;
      this.#aliveMs = nowMs;
      this.#speechFromMs = address === signallingAddress ? nowMs : nowMs + NAT_WAIT_MS;
      this.#nextReportMs = nowMs + RTCP_INTERVAL_MS * (0.5 + this.#random() / 2);
    } else if (resumed) {
      this.#alive(nowMs);
    }
  }

  /** Sends what the peer of `other` says, and presses for it the keys of ours; null: no longer. One half of a connection. */
  join(other: MediaSession | null): void {
    this.#joined = other;
    this.keys.dropRelayed();
    this.sources.hear(other);
  }

  /** Each frame goes to `tap` too; null: to nobody. */
  tap(tap: FrameTap | null): void {
    this.#tap = tap;
  }

  /** The same, for one more. */
  monitor(tap: FrameTap | null): void {
    this.#monitor = tap;
  }

  echo(): void {
    this.sources.hear(this);
  }

  receiveRtp(bytes: Uint8Array, address: string, port: number, nowMs: number): void {
    if (isRtcp(bytes)) {
      this.receiveRtcp(bytes, address, port, nowMs, true);
      return;
    }
    if (!this.#receiver.receive(bytes, address, port, nowMs)) return;
    this.#alive(nowMs);
    if (this.#receivedAny) return;
    this.#receivedAny = true;
    this.#options.events.onFirstPacketReceived(this.#options.epochOffsetMs + nowMs);
  }

  /** `overRtp`: it came to our RTP port (RFC 5761), where a NAT lets ours back. */
  receiveRtcp(bytes: Uint8Array, address: string, port: number, nowMs: number, overRtp = false): void {
    const { source } = this.#receiver;
    if (!isRtcp(bytes) || !source.acceptRtcp(address, port, rtcpSenderSsrc(bytes), nowMs)) return;
    if (source.rtcpPort === port && source.rtcpAddress === address) this.#rtcpOverRtp = overRtp;
    let received;
    try {
      received = readRtcp(bytes);
    } catch {
      // Malformed control packets tell nothing; the peer's audio decides.
      return;
    }
    this.#alive(nowMs);
    if (received.senderReport !== null) {
      this.#lastSenderReport = received.senderReport;
      this.#lastSenderReportMs = nowMs;
    }
    for (const block of received.blocks) {
      if (block.ssrc !== this.#transmitter.ssrc) continue;
      this.#remoteLossPct = (block.fractionLost / 256) * 100;
      if (block.lastSenderReport === 0) continue;
      // RFC 3550 §6.4.1: A − LSR − DLSR in 1/65536 s.
      const now = compactNtp(ntpTime(this.#options.epochOffsetMs + nowMs));
      const trip = (now - block.lastSenderReport - block.delaySinceLastSenderReport) | 0;
      if (trip >= 0 && trip < 10 * 65536) this.#roundTripMs = (trip / 65536) * 1000;
    }
  }

  /**
   * One 20 ms frame of the peer (see `pcm`) on our schedule, after `skipped` that a stall swallowed. Those are read first, so
   * that no audio is lost to who listens.
   */
  read(nowMs: number, skipped: number): void {
    if (this.#remote === null) return;
    if (skipped > 0) {
      this.#transmitter.skip(skipped);
      this.#stoodStill(skipped * FRAME_MS, nowMs);
    }
    for (let i = Math.min(skipped, MAX_SKIPPED_READS); i > 0; i--) {
      const received = this.#receiver.frame(this.#pcm, nowMs);
      this.#tell(received, null);
    }
    this.#received = this.#receiver.frame(this.#pcm, nowMs);
    this.#framesRead++;
  }

  /** One packet of ours, after each `read`. */
  send(nowMs: number): void {
    const remote = this.#remote;
    if (remote === null) return;
    this.#connect(nowMs);
    const send = remote.send && (this.#maySendToSdp || this.#receiver.source.locked);
    this.#transmitter.frame(send, !this.#receivedAny && nowMs < this.#speechFromMs, nowMs);
    this.#tell(this.#received, this.#transmitter.pcm);
    if (this.sources.talking) this.#spokeMs = nowMs;
    if (nowMs >= this.#nextReportMs) this.#report(nowMs, false);
    if (this.#watched) this.#checkTimeout(nowMs);
    this.#checkQuiet(nowMs);
    this.#checkDeaf(nowMs);
  }

  /** Says goodbye by RTCP. Who is joined to it is parted from it first. */
  close(nowMs: number): RtpStats {
    if (this.#remote !== null && this.#sentAny) this.#report(nowMs, true);
    const stats = this.#stats();
    this.#transmitter.keys.abandon();
    this.#remote = null;
    return stats;
  }

  #tell(received: boolean, sent: Int16Array | null): void {
    if (this.#tap !== null) this.#tap.frame(this.#pcm, received, sent);
    if (this.#monitor !== null) this.#monitor.frame(this.#pcm, received, sent);
  }

  #pressed(digit: string, durationMs: number): void {
    this.#options.events.onDtmf(digit, durationMs);
    if (this.#joined !== null) this.#joined.#relay(digit);
  }

  /** Where the peer takes keys, and now: one that comes after a hold would be pressed out of place. */
  #relay(digit: string): void {
    const remote = this.#remote;
    if (remote === null || !remote.send || remote.relayKeys === false) return;
    if (remote.telephoneEventPayloadType !== null) this.keys.relay(digit);
  }

  #setFormats(remote: RtpRemote): void {
    if (this.#codec?.name !== remote.codec) this.#codec = this.#createCodec(remote.codec);
    const codec = this.#codec;
    const { payloadType, telephoneEventPayloadType, localTelephoneEventPayloadType = null } = remote;
    const { telephoneEventClockRateHz = codec.clockRateHz } = remote;
    const formats = { codec, payloadType, telephoneEventPayloadType, telephoneEventClockRateHz };
    this.#receiver.setFormats({ ...formats, localTelephoneEventPayloadType });
    this.#transmitter.setFormats(formats);
  }

  /** All that is heard and sent has the rate of the graph from here on. */
  #createCodec(name: AudioCodec): Codec {
    return atGraphRate((this.#options.createCodec ?? createCodec)(name));
  }

  #stats(): RtpStats {
    const { stats, source, packetsLate, framesHeard, delayMs } = this.#receiver;
    const expected = stats.packetsExpected;
    const lossPct = expected === 0 ? 0 : ((stats.packetsLost + packetsLate) / expected) * 100;
    return {
      packetsSent: this.#transmitter.packetsSent,
      packetsReceived: stats.packetsReceived,
      packetsLost: stats.packetsLost,
      packetsLate,
      packetsForeign: source.foreignPackets,
      framesHeard,
      jitterMs: Math.round(stats.jitterMs * 100) / 100,
      roundTripMs: this.#roundTripMs === null ? null : Math.round(this.#roundTripMs * 10) / 10,
      remoteLossPct: this.#remoteLossPct,
      mos:
        expected === 0 || this.#codec === null
          ? null
          : estimateMos({
              lossPct,
              oneWayDelayMs: FRAME_MS + delayMs + (this.#roundTripMs ?? 0) / 2,
              packetLossRobustness: this.#codec.packetLossRobustness,
            }),
      maxSendGapMs: Math.round(this.#transmitter.maxSendGapMs * 10) / 10,
    };
  }

  /** On hold, and when the peer only listens, nothing needs to come. */
  get #watched(): boolean {
    const remote = this.#remote;
    return remote !== null && remote.send && remote.receive !== false;
  }

  /** What we did not hear while we stood still the peer may have said: no silence of its. */
  #stoodStill(ms: number, nowMs: number): void {
    this.#aliveMs = Math.min(nowMs, this.#aliveMs + ms);
  }

  #alive(nowMs: number): void {
    this.#aliveMs = nowMs;
    if (!this.#quiet) return;
    this.#quiet = false;
    this.#options.events.onMediaQuiet(false);
  }

  /** Phones that suppress silence send nothing while they listen: it does not run out while the agent speaks. */
  #checkTimeout(nowMs: number): void {
    if (nowMs - Math.max(this.#aliveMs, this.#spokeMs) < this.#options.mediaTimeoutMs) return;
    this.#aliveMs = nowMs;
    this.#options.events.onMediaTimeout();
  }

  /** Also on hold, and while the agent speaks. */
  #checkQuiet(nowMs: number): void {
    if (!this.#receivedAny || nowMs - this.#aliveMs < QUIET_MS) return;
    if (this.#quiet && nowMs < this.#nextQuietMs) return;
    this.#quiet = true;
    this.#nextQuietMs = nowMs + QUIET_AGAIN_MS;
    this.#options.events.onMediaQuiet(true);
  }

  #checkDeaf(nowMs: number): void {
    if (this.#deafTold || this.#receivedAny || nowMs - this.#startMs < DEAF_MS) return;
    const { foreignPackets } = this.#receiver.source;
    if (foreignPackets === 0) return;
    this.#deafTold = true;
    this.#options.events.onDeaf(foreignPackets);
  }

  /** To the peer while it is where it should be. */
  #connect(nowMs: number): void {
    const { source } = this.#receiver;
    const connected = source.isSteady(nowMs);
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#options.connectRtp(connected ? source.address : null, source.port);
  }

  #sendRtp(packet: Uint8Array): void {
    const { source } = this.#receiver;
    const port = source.locked ? source.port : (this.#remote as RtpRemote).port;
    this.#options.sendRtp(packet, port, source.address ?? this.#remoteAddress);
    if (this.#sentAny) return;
    this.#sentAny = true;
    this.#options.events.onFirstPacketSent(this.#options.epochOffsetMs + this.#options.now());
  }

  #report(nowMs: number, bye: boolean): void {
    const remote = this.#remote as RtpRemote;
    this.#nextReportMs = nowMs + RTCP_INTERVAL_MS * (0.5 + this.#random());
    const { source, stats } = this.#receiver;
    if (!source.locked && source.rtcpAddress === null && !this.#maySendToSdp) return;
    const { packetsSent, octetsSent, ssrc } = this.#transmitter;
    const since = this.#lastSenderReport === 0 ? 0 : Math.round(((nowMs - this.#lastSenderReportMs) / 1000) * 65536);
    const packet = buildReport({
      ssrc,
      cname: this.#options.cname,
      sender:
        packetsSent === this.#reportedPackets
          ? null
          : {
              ntp: ntpTime(this.#options.epochOffsetMs + nowMs),
              rtpTimestamp: this.#transmitter.timestampAt(nowMs),
              packetCount: packetsSent,
              octetCount: octetsSent,
            },
      block: stats.report(),
      lastSenderReport: this.#lastSenderReport,
      delaySinceLastSenderReport: since,
      bye,
    });
    this.#reportedPackets = packetsSent;
    this.#sendRtcp(packet, remote);
  }

  /** Back to where the peer's comes from; to the port beside its RTP until one has come. */
  #sendRtcp(packet: Uint8Array, remote: RtpRemote): void {
    const { sendRtp, sendRtcp } = this.#options;
    const { source } = this.#receiver;
    if (source.rtcpAddress !== null) {
      const send = this.#rtcpOverRtp ? sendRtp : sendRtcp;
      send(packet, source.rtcpPort, source.rtcpAddress);
      return;
    }
    const moved = source.locked && source.port !== remote.port;
    const port = moved ? source.port + 1 : (remote.rtcpPort ?? remote.port + 1);
    if (port <= 65535) sendRtcp(packet, port, source.address ?? this.#remoteAddress);
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }
}
