import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export type PortProtocol = 'TCP' | 'UDP';

/** A port the user asked for cannot be used. The message names the variable to change. */
export class PortInUseError extends Error {
  constructor(variable: string, host: string, port: number, protocol: PortProtocol, problem: PortProblem) {
    const what = problem === 'taken' ? 'is in use by another program' : 'may not be used by this user';
    super(`${variable}: ${protocol} port ${port} on ${host} ${what}; set ${variable} to a free one`);
    this.name = 'PortInUseError';
  }
}

export type PortProblem = 'taken' | 'forbidden';

/**
 * Why nothing can listen on a port now; `undefined` when something can. An address the machine does not have (no IPv6, a
 * foreign name) is no problem of the port: whoever binds it says so.
 */
export async function portProblem(
  protocol: PortProtocol,
  host: string,
  port: number,
): Promise<PortProblem | undefined> {
  try {
    await (protocol === 'TCP' ? bindTcp(host, port) : bindUdp(host, port));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return 'taken';
    return code === 'EACCES' ? 'forbidden' : undefined;
  }
}

/** The first free TCP port of 127.0.0.1 among `preferred` and the `span` ports from `base` on. */
export async function findFreePort(
  preferred: readonly (number | undefined)[],
  base: number,
  span = 200,
): Promise<number> {
  const range = Array.from({ length: span }, (_, index) => base + index);
  for (const port of [...preferred, ...range]) {
    if (port !== undefined && (await portProblem('TCP', '127.0.0.1', port)) === undefined) return port;
  }
  throw new Error(`no free TCP port between ${base} and ${base + span - 1}`);
}

/** A free TCP port of 127.0.0.1 as the system chooses it, hardly ever the same for two callers. */
export async function systemPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function bindTcp(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => server.close(() => resolve()));
  });
}

async function bindUdp(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const ipv6 = host.includes(':');
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6 });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve()));
  });
}
