import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 1_000;

/** For what may take longer: that its worker has died is known soon nevertheless. */
export async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
