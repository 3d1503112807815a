/** What a process of the product holds, as the kernel counts it (`proc(5)`). Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessResources {
  readonly descriptors: number;
  readonly udpSockets: number;
  /** Listening ones too. */
  readonly tcpSockets: number;
  readonly residentMb: number;
}

interface KernelSocket {
  readonly protocol: 'udp' | 'tcp';
  readonly localPort: number;
  readonly listening: boolean;
  readonly peer: string;
}

/** `TCP_LISTEN` of the kernel. */
const LISTENING = '0A';

export function resourcesOf(pid: number): ProcessResources {
  const targets = descriptorsOf(pid);
  const sockets = socketsOf(pid, targets);
  const count = (wanted: KernelSocket['protocol']): number =>
    sockets.filter(({ protocol }) => protocol === wanted).length;
  return {
    descriptors: targets.length,
    udpSockets: count('udp'),
    tcpSockets: count('tcp'),
    residentMb: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(read(pid, 'status'))?.[1]) / 1024),
  };
}

/** TCP connections that the process has accepted at one of its ports, by the peer's address as the kernel writes it. */
export function connectionsAt(pid: number, port: number): Map<string, number> {
  const byPeer = new Map<string, number>();
  for (const { protocol, localPort, listening, peer } of socketsOf(pid, descriptorsOf(pid))) {
    if (protocol !== 'tcp' || localPort !== port || listening) continue;
    byPeer.set(peer, (byPeer.get(peer) ?? 0) + 1);
  }
  return byPeer;
}

function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

function socketsOf(pid: number, targets: readonly string[]): KernelSocket[] {
  const known = new Map<string, KernelSocket>();
  for (const protocol of ['udp', 'tcp'] as const) {
    for (const table of [read(pid, `net/${protocol}`), read(pid, `net/${protocol}6`)]) {
      for (const line of table.split('\n').slice(1)) {
        const fields = line.trim().split(/\s+/);
        const [peer = ''] = fields[2]?.split(':') ?? [];
        const localPort = parseInt(fields[1]?.split(':').at(-1) ?? '', 16);
        known.set(`socket:[${fields[9]}]`, { protocol, localPort, listening: fields[3] === LISTENING, peer });
      }
    }
  }
  return targets.flatMap((target) => known.get(target) ?? []);
}

function read(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8');
}
