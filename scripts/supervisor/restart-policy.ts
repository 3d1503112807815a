import type { BackoffOptions } from '../../ops/backoff';

/** Of the API and the worker: calls live without them, so they are tried for as long as the product runs. */
export const ENDLESS_RESTARTS: BackoffOptions = {
  pauseMs: 200,
  maximumPauseMs: 10_000,
  stableMs: 10_000,
};

/** Of what nothing works without, the servers and the media node: the sixth end in a row is the last. */
export const LIMITED_RESTARTS: BackoffOptions = { ...ENDLESS_RESTARTS, maximumFailures: 6 };
