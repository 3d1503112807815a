import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { AudioCodec } from '../../../../contract/audio-codecs';
import { decodeG711, encodeG711 } from '../../../../media/codec/g711';
import { RTP_FORMATS } from '../../../../media/codec/rtp-format';
import { parseRtpPacket, serialiseRtpPacket } from '../../../support/rtp-packet';
import type { RtpPacket } from '../../../support/rtp-packet';
import { sine } from '../../../support/tones';

/** The far end of a session: a socket that says tones and keeps what comes. */
export class UdpPeer {
  readonly received: RtpPacket[] = [];
  #socket: Socket;
  readonly #codec: AudioCodec;
  #sequenceNumber = 65_533;
  #timestamp = 4_294_967_000;

  private constructor(socket: Socket, codec: AudioCodec) {
    this.#socket = socket;
    this.#codec = codec;
    socket.on('message', (bytes) => this.received.push(parseRtpPacket(bytes)));
  }

  static async open(address = '127.0.0.1', codec: AudioCodec = 'PCMU', port = 0): Promise<UdpPeer> {
    const socket = createSocket('udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new UdpPeer(socket, codec);
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  /** Without the keys between. */
  get audio(): Int16Array {
    const { payloadType } = RTP_FORMATS[this.#codec];
    const audio = this.received.filter((packet) => packet.payloadType === payloadType);
    const pcm = new Int16Array(audio.length * 160);
    audio.forEach(({ payload }, i) => decodeG711(this.#codec, payload, 0, 160, pcm, i * 160));
    return pcm;
  }

  send(port: number, payload: Uint8Array, payloadType = RTP_FORMATS[this.#codec].payloadType): void {
    const packet = serialiseRtpPacket({
      payloadType,
      marker: false,
      sequenceNumber: (this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff),
      timestamp: (this.#timestamp = (this.#timestamp + 160) % 4_294_967_296),
      ssrc: 7,
      csrcs: [],
      extension: null,
      payload,
      paddingBytes: 0,
    });
    this.#socket.send(packet, port, '127.0.0.1');
  }

  /** What it sends comes from the port of that one from now on; its stream goes on. */
  moveTo(other: UdpPeer): void {
    const own = this.#socket;
    this.#socket = other.#socket;
    other.#socket = own;
  }

  async talk(port: number, frequencyHz: number, packets: number): Promise<void> {
    // Nobody speaks before the other side knows of them.
    await pause(5);
    const startMs = performance.now();
    for (let i = 0; i < packets; i++) {
      const pcm = sine(frequencyHz, 160, 8000, (2 * Math.PI * frequencyHz * i * 160) / 8000);
      const payload = new Uint8Array(160);
      encodeG711(this.#codec, pcm, 0, 160, payload);
      this.send(port, payload);
      await pause(Math.max(0, startMs + (i + 1) * 20 - performance.now()));
    }
  }

  close(): void {
    this.#socket.close();
  }
}
