import type { NodeWatchState } from './node-watch';

export interface MediaNodeInput {
  readonly nodeId: string;
  /** Only when it continues an earlier run. */
  readonly resumed?: NodeWatchState;
}
