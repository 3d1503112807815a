/** The wire of a test phone: one UDP socket, or one TCP connection per peer, with messages in and out as text. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

import type { Socket as UdpSocket } from 'node:dgram';
import type { AddressInfo, Server, Socket as TcpSocket } from 'node:net';

export interface Target {
  readonly address: string;
  readonly port: number;
}

export type OnSipText = (text: string, from: Target) => void;

export interface SipLink {
  readonly transport: 'udp' | 'tcp';
  readonly port: number;
  send(text: string, to: Target): void;
  close(): void;
}

export async function openUdpLink(address: string, port: number, onText: OnSipText): Promise<SipLink> {
  const socket: UdpSocket = createSocket('udp4');
  socket.on('message', (bytes, from) => onText(bytes.toString('utf8'), { address: from.address, port: from.port }));
  // A peer that died answers with ICMP; the transaction's timer tells the test.
  socket.on('error', () => undefined);
  socket.bind(port, address);
  await once(socket, 'listening');
  return {
    transport: 'udp',
    port: socket.address().port,
    send: (text, to) => socket.send(text, to.port, to.address),
    close: () => socket.close(),
  };
}

export async function openTcpLink(address: string, port: number, onText: OnSipText): Promise<SipLink> {
  const connections = new Map<string, TcpSocket>();
  const adopt = (socket: TcpSocket, from: Target): void => {
    const key = `${from.address}:${from.port}`;
    connections.set(key, socket);
    let pending = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      pending += chunk;
      for (let message = takeMessage(); message !== null; message = takeMessage()) onText(message, from);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => connections.delete(key));
    function takeMessage(): string | null {
      pending = pending.replace(/^(\r\n)+/, '');
      const split = pending.indexOf('\r\n\r\n');
      if (split < 0) return null;
      const length = Number(/^(?:content-length|l)\s*:\s*(\d+)/im.exec(pending.slice(0, split))?.[1] ?? 0);
      if (pending.length < split + 4 + length) return null;
      const message = pending.slice(0, split + 4 + length);
      pending = pending.slice(split + 4 + length);
      return message;
    }
  };
  const server: Server = createServer((socket) => {
    adopt(socket, { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    transport: 'tcp',
    port: (server.address() as AddressInfo).port,
    send: (text, to) => {
      const open = connections.get(`${to.address}:${to.port}`);
      if (open !== undefined) {
        open.write(text);
        return;
      }
      const socket = connect(to.port, to.address);
      adopt(socket, to);
      socket.write(text);
    },
    close: () => {
      server.close();
      for (const socket of connections.values()) socket.destroy();
    },
  };
}
