import { holdPort } from '../../scripts/process/ports';
import type { PortProtocol } from '../../scripts/process/ports';

/** Below the range from which the system gives ports to outgoing connections, so that nothing takes one by chance. */
const LOWEST = 10_000;
const HIGHEST = 15_000;
/** By this process: who asks for three gets three, though none of them is in use yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that is free for UDP and TCP. Chosen at random: test runs beside each other rarely meet. */
export async function freePort(): Promise<number> {
  for (;;) {
    if (given.size > (HIGHEST - LOWEST) / 2) given.clear();
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (given.has(port)) continue;
    given.add(port);
    const free = await Promise.all([isPortFree('TCP', port), isPortFree('UDP', port)]);
    if (!free.includes(false)) return port;
  }
}

/** Of 127.0.0.1. */
export async function isPortFree(protocol: PortProtocol, port: number): Promise<boolean> {
  return await holdPort(protocol, '127.0.0.1', port).then(
    (release) => {
      release();
      return true;
    },
    () => false,
  );
}

/** A thousand ports for RTP; the media node passes over those that are taken. */
export function rtpPortRange(): { readonly min: number; readonly max: number } {
  const min = 20_000 + Math.floor(Math.random() * 10) * 1_000;
  return { min, max: min + 999 };
}
