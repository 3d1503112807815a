import type { BackoffOptions } from '../../ops/backoff';

/** Of the processes and embedded servers: the sixth end in a row is the last. */
export const RESTART_POLICY: BackoffOptions = {
  pauseMs: 200,
  maximumPauseMs: 10_000,
  stableMs: 10_000,
  maximumFailures: 6,
};
