/** Between the main thread and the recogniser's. */

/** As many utterances are decoded at once at most: beyond it a step takes longer in proportion. */
export const MAX_BATCH = 8;

/** Utterances of about the same length, recognised together. */
export interface RecogniseBatch {
  readonly type: 'recognise';
  readonly jobs: readonly {
    readonly id: number;
    /** Mono, at the graph's rate. */
    readonly pcm: Int16Array;
  }[];
}

export type RecogniserReply =
  | { readonly type: 'ready' }
  | { readonly type: 'unavailable'; readonly message: string }
  /** As soon as it is known, whatever the others of its batch take; of what is heard twice, after them. */
  | { readonly type: 'done'; readonly id: number; readonly text: string; readonly confidence: number }
  /** Of a job that nobody waits for any more, too: every job has one of both. */
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

export interface RecogniserData {
  /** A cell for each place of a batch: the id of a job there that nobody waits for any more. */
  readonly cancelled: Int32Array;
  /** One cell: how many utterances wait for a thread. */
  readonly waiting: Int32Array;
}
