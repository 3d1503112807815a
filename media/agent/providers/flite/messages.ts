/** Between the media node and its flite child process. */
export interface FliteJob {
  readonly id: number;
  readonly voice: string;
  readonly text: string;
  readonly durationStretch: number;
}

export type FliteReply =
  | { readonly type: 'ready'; readonly voices: readonly string[] }
  | { readonly type: 'done'; readonly id: number; readonly pcm: Int16Array }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
