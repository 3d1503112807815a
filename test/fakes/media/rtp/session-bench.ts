import { MediaSession } from '../../../../media/rtp/media-session';
import type { FrameTap, MediaSessionOptions } from '../../../../media/rtp/media-session';
import type { RtpRemote } from '../../../../media/rtp/rtp-session';
import { parseRtpPacket, serialiseRtpPacket } from '../../../support/rtp-packet';
import type { RtpPacket } from '../../../support/rtp-packet';

export const REMOTE: RtpRemote = {
  address: '192.0.2.10',
  port: 4000,
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: 101,
  signallingAddress: '192.0.2.10',
  send: true,
};

export interface Datagram {
  readonly packet: Uint8Array;
  readonly port: number;
  readonly address: string;
}

/** A session without sockets or threads: what it sends and reports is kept, its time is the test's. */
export class Bench {
  nowMs = 0;
  readonly rtp: Datagram[] = [];
  readonly rtcp: Datagram[] = [];
  readonly events: string[] = [];
  /** Whom the socket was connected to, one after the other; null: to nobody any more. */
  readonly connected: (string | null)[] = [];
  readonly session: MediaSession;
  /** Of the last tick, as its tap was told. */
  sentPcm: Int16Array | null = null;
  pcmReceived = false;
  #sequenceNumber = 65_530;

  constructor(
    allowPrivateTargets = true,
    mediaTimeoutMs = 30_000,
    anySource = false,
    createCodec?: MediaSessionOptions['createCodec'],
  ) {
    const keep =
      (list: Datagram[]) =>
      (packet: Uint8Array, port: number, address: string): void => {
        list.push({ packet: packet.slice(), port, address });
      };
    this.session = new MediaSession({
      sendRtp: keep(this.rtp),
      sendRtcp: keep(this.rtcp),
      connectRtp: (address, port) => this.connected.push(address === null ? null : `${address}:${port}`),
      allowPrivateTargets,
      mediaTimeoutMs,
      anySource,
      cname: 'trunkline',
      now: () => this.nowMs,
      epochOffsetMs: 1_700_000_000_000,
      random: () => 0.5,
      ...(createCodec === undefined ? {} : { createCodec }),
      events: {
        onDtmf: (digit, durationMs) => this.events.push(`dtmf ${digit} ${durationMs}`),
        onFirstPacketSent: (atEpochMs) => this.events.push(`sent ${atEpochMs - 1_700_000_000_000}`),
        onFirstPacketReceived: (atEpochMs) => this.events.push(`received ${atEpochMs - 1_700_000_000_000}`),
        onPlaybackFinished: (playbackId) => this.events.push(`finished ${playbackId}`),
        onMediaTimeout: () => this.events.push('timeout'),
        onMediaQuiet: (quiet) => this.events.push(quiet ? 'quiet' : 'back'),
        onDeaf: (packetsForeign) => this.events.push(`deaf ${packetsForeign}`),
      },
    });
    this.session.tap(this.tap);
  }

  readonly tap: FrameTap = {
    frame: (_pcm, received, sent) => {
      this.sentPcm = sent?.slice() ?? null;
      this.pcmReceived = received;
    },
  };

  get sent(): RtpPacket[] {
    return this.rtp.map(({ packet }) => parseRtpPacket(packet));
  }

  /** `frames` ticks of 20 ms; before each, `each` may receive something. */
  run(frames: number, each: (frame: number) => void = () => undefined, skipped = 0): void {
    for (let frame = 0; frame < frames; frame++) {
      each(frame);
      this.session.read(this.nowMs, frame === 0 ? skipped : 0);
      this.session.send(this.nowMs);
      this.nowMs += 20;
    }
  }

  receive(payload: Uint8Array, options: Partial<RtpPacket & Datagram> = {}): void {
    if (options.sequenceNumber === undefined) this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    const packet = serialiseRtpPacket({
      payloadType: 0,
      marker: false,
      sequenceNumber: this.#sequenceNumber,
      timestamp: (this.nowMs * 8) >>> 0,
      ssrc: 42,
      csrcs: [],
      extension: null,
      payload,
      paddingBytes: 0,
      ...options,
    });
    this.session.receiveRtp(packet, options.address ?? REMOTE.address, options.port ?? REMOTE.port, this.nowMs);
  }
}

export const SILENCE = new Uint8Array(160).fill(0xff);
