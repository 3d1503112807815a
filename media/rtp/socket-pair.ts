/** The two UDP sockets of a session: RTP on an even port, RTCP on the next. */
import { createSocket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';

import { RtpError } from './rtp-error';

import type { RemoteInfo, Socket } from 'node:dgram';
import type { PortPool } from './port-pool';

const BIND_ATTEMPTS = 20;

export type OnDatagram = (bytes: Uint8Array, address: string, port: number) => void;

export class SocketPair {
  readonly port: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;

  /**
   * Binds a random pair of the pool; a port that another process holds is put to rest and the next one tried.
   * @throws RtpError `no_port`, `bind_failed`
   */
  static async open(
    pool: PortPool,
    localAddress: string,
    handlers: { readonly onRtp: OnDatagram; readonly onRtcp: OnDatagram },
  ): Promise<SocketPair> {
    let cause: unknown;
    for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      const port = pool.take();
      const sockets: Socket[] = [];
      try {
        const rtp = await bind(localAddress, port);
        sockets.push(rtp);
        const rtcp = await bind(localAddress, port + 1);
        return new SocketPair(port, rtp, rtcp, handlers);
      } catch (error) {
        cause = error;
        for (const socket of sockets) socket.close();
        pool.release(port);
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') break;
      }
    }
    throw new RtpError('bind_failed', 'no RTP port could be bound', { cause });
  }

  private constructor(port: number, rtp: Socket, rtcp: Socket, handlers: { onRtp: OnDatagram; onRtcp: OnDatagram }) {
    this.port = port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    for (const [socket, handler] of [
      [rtp, handlers.onRtp],
      [rtcp, handlers.onRtcp],
    ] as const) {
      socket.on('message', (bytes: Buffer, from: RemoteInfo) => handler(bytes, from.address, from.port));
      // ICMP errors and full buffers: RTP goes on; whether the peer is there is for the media timeout to say.
      socket.on('error', () => undefined);
    }
  }

  sendRtp(packet: Uint8Array, port: number, address: string): void {
    this.#rtp.send(packet, 0, packet.length, port, address);
  }

  sendRtcp(packet: Uint8Array, port: number, address: string): void {
    this.#rtcp.send(packet, 0, packet.length, port, address);
  }

  close(): void {
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
