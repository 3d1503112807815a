import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export type PortProtocol = 'TCP' | 'UDP';

export type PortProblem = 'taken' | 'forbidden' | 'no_address';

/** Why nothing can listen there, of what {@link holdPort} threw. */
export function portProblemOf(error: unknown): PortProblem {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'taken';
  return code === 'EACCES' ? 'forbidden' : 'no_address'; // not ours, no such family, or a name that nobody knows
}

/** Takes a port as a server would and returns its release. Throws what the system throws. */
export async function holdPort(protocol: PortProtocol, host: string, port: number): Promise<() => void> {
  return await (protocol === 'TCP' ? holdTcp(host, port) : holdUdp(host, port));
}

async function isFree(protocol: PortProtocol, host: string, port: number): Promise<boolean> {
  try {
    (await holdPort(protocol, host, port))();
    return true;
  } catch {
    return false; // whatever keeps us from it, another one has to do
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
    if (port !== undefined && (await isFree('TCP', '127.0.0.1', port))) return port;
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

async function holdTcp(host: string, port: number): Promise<() => void> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') }, () => resolve(() => server.close()));
  });
}

async function holdUdp(host: string, port: number): Promise<() => void> {
  return await new Promise((resolve, reject) => {
    const ipv6 = host.includes(':');
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6 });
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => resolve(() => socket.close()));
  });
}
