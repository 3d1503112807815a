import { portProblem } from '../../scripts/process/ports';

/** Below the range from which the system gives ports to outgoing connections, so that nothing takes one by chance. */
const LOWEST = 10_000;
const HIGHEST = 15_000;

/** A port of 127.0.0.1 that is free for UDP and TCP. Chosen at random: test runs beside each other rarely meet. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const problems = await Promise.all([portProblem('TCP', '127.0.0.1', port), portProblem('UDP', '127.0.0.1', port)]);
    if (problems.every((problem) => problem === undefined)) return port;
  }
}

/** A thousand ports for RTP; the media node passes over those that are taken. */
export function rtpPortRange(): { readonly min: number; readonly max: number } {
  const min = 20_000 + Math.floor(Math.random() * 10) * 1_000;
  return { min, max: min + 999 };
}
