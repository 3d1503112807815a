import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** A port the user asked for is taken. The message names the variable to change. */
export class PortInUseError extends Error {
  readonly code = 'PORT_IN_USE';

  constructor(variable: string, host: string, port: number, protocol: 'TCP' | 'UDP') {
    super(
      `${variable}: ${protocol} port ${port} on ${host} is in use by another program; set ${variable} to a free one`,
    );
    this.name = 'PortInUseError';
  }
}

export async function isTcpPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(!isTaken(error)));
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () =>
      server.close(() => resolve(true)),
    );
  });
}

export async function isUdpPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const ipv6 = host.includes(':');
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6 });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(!isTaken(error));
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

/** The first free TCP port of 127.0.0.1 among `preferred` and the `span` ports from `base` on. */
export async function findFreePort(
  preferred: readonly (number | undefined)[],
  base: number,
  span = 200,
): Promise<number> {
  for (const port of preferred) {
    if (port !== undefined && (await isTcpPortFree('127.0.0.1', port))) return port;
  }
  for (let port = base; port < base + span; port += 1) {
    if (await isTcpPortFree('127.0.0.1', port)) return port;
  }
  throw new Error(`no free TCP port between ${base} and ${base + span - 1}`);
}

/** An address the machine does not have (no IPv6, a foreign name) is not a port in use: whoever binds it says so. */
function isTaken(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EADDRINUSE' || error.code === 'EACCES';
}
