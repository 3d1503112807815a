/** The two UDP sockets of a session: RTP on an even port, RTCP on the next. */
import { createSocket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';

import { isUnspecified } from '../../ops/address-scope';
import { RtpError } from './rtp-error';

import type { RemoteInfo, Socket } from 'node:dgram';
import type { PortPool } from './port-pool';

const BIND_ATTEMPTS = 20;

/** Whose sockets they are. */
export interface PacketReceiver {
  receiveRtp(bytes: Uint8Array, address: string, port: number): void;
  receiveRtcp(bytes: Uint8Array, address: string, port: number): void;
}

export class SocketPair {
  readonly port: number;
  /** Null: what comes is dropped. */
  owner: PacketReceiver | null = null;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  /** Whom the RTP socket is connected to, if anybody. */
  #peerAddress: string | null = null;
  #peerPort = 0;

  /**
   * Binds a random pair of the pool; a port that another process holds is put to rest and the next one tried.
   * @throws RtpError `no_port`, `bind_failed`
   */
  static async open(pool: PortPool, localAddress: string): Promise<SocketPair> {
    let cause: unknown;
    for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      const port = pool.take();
      const sockets: Socket[] = [];
      try {
        const rtp = await bind(localAddress, port);
        sockets.push(rtp);
        const rtcp = await bind(localAddress, port + 1);
        return new SocketPair(port, rtp, rtcp);
      } catch (error) {
        cause = error;
        for (const socket of sockets) socket.close();
        pool.release(port);
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') break;
      }
    }
    throw new RtpError('bind_failed', 'no RTP port could be bound', { cause });
  }

  private constructor(port: number, rtp: Socket, rtcp: Socket) {
    this.port = port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    rtp.on('message', (bytes: Buffer, from: RemoteInfo) => this.owner?.receiveRtp(bytes, from.address, from.port));
    rtcp.on('message', (bytes: Buffer, from: RemoteInfo) => this.owner?.receiveRtcp(bytes, from.address, from.port));
    for (const socket of [rtp, rtcp]) {
      // ICMP errors (of a connected socket) and full buffers: RTP goes on; whether the peer is there is for the media
      // timeout to say.
      socket.on('error', () => undefined);
    }
  }

  /**
   * From now on the kernel takes RTP of this peer alone, and need not look for the way there with every packet; null: of
   * anybody again. One that is bound to no address stays as it is: connected it would hear only what comes to the
   * address of the route.
   */
  connectRtp(address: string | null, port: number): void {
    if (address === this.#peerAddress && (address === null || port === this.#peerPort)) return;
    if (this.#peerAddress !== null) {
      this.#peerAddress = null;
      this.#rtp.disconnect();
    }
    if (address === null || isUnspecified(this.#rtp.address().address)) return;
    this.#peerAddress = address;
    this.#peerPort = port;
    // The address is a literal: the kernel was asked when this returns.
    this.#rtp.connect(port, address, (error?: Error) => {
      if (error !== undefined && this.#peerAddress === address) this.#peerAddress = null;
    });
  }

  sendRtp(packet: Uint8Array, port: number, address: string): void {
    if (this.#peerAddress === null) {
      this.#rtp.send(packet, port, address);
    } else if (address === this.#peerAddress && port === this.#peerPort) {
      this.#rtp.send(packet);
    } else {
      this.connectRtp(null, 0);
      this.#rtp.send(packet, port, address);
    }
  }

  sendRtcp(packet: Uint8Array, port: number, address: string): void {
    this.#rtcp.send(packet, port, address);
  }

  close(): void {
    this.owner = null;
    this.#rtp.close();
    this.#rtcp.close();
  }
}

async function bind(localAddress: string, port: number): Promise<Socket> {
  try {
    return await bindTo(localAddress, port);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A public name or address of a NAT before us is not ours to bind: take the packets on any address.
    if (code !== 'EADDRNOTAVAIL' && code !== 'ENOTFOUND') throw error;
    return bindTo(isIPv6(localAddress) ? '::' : '0.0.0.0', port);
  }
}

function bindTo(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (isIP(address) === 0) {
      reject(Object.assign(new Error('not an address'), { code: 'ENOTFOUND' }));
      return;
    }
    const socket = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      // Every destination is a literal address: looking it up synchronously spares each packet a trip through DNS code.
      lookup: (host, family, callback) => callback(null, host, typeof family === 'number' ? family : 4),
    });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
