/** Between the main thread and the recogniser's. */
export interface RecogniseJob {
  readonly type: 'recognise';
  readonly id: number;
  /** Mono, at the edge rate. */
  readonly pcm: Int16Array;
}

export type RecogniserReply =
  | { readonly type: 'ready' }
  | { readonly type: 'unavailable'; readonly message: string }
  | { readonly type: 'done'; readonly id: number; readonly text: string; readonly confidence: number }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

export interface RecogniserData {
  /** One cell: the id of the job that nobody waits for any more. */
  readonly cancelled: Int32Array;
}
