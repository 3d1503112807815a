import { RUNNING } from './start-servers';
import type { RunningTestServers } from './start-servers';

/** jest's `globalTeardown` of the integration tests. */
export default async function stopServers(): Promise<void> {
  await ((globalThis as Record<symbol, unknown>)[RUNNING] as RunningTestServers | undefined)?.stop();
}
