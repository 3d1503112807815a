/**
 * Caller audio on its way from the RTP thread to the speech thread: one message per 20 ms tick with the frames of all
 * calls, over a MessagePort, so that the main thread never copies audio. What left in the same tick rides along: an echo
 * of it is not the caller.
 */
export interface AudioBatch {
  /** Media ids, one per frame. */
  readonly mediaIds: Uint32Array;
  /** `mediaIds.length` frames of GRAPH_FRAME_SAMPLES 16-bit samples, one after the other. */
  readonly pcm: Int16Array;
  /** 1 where the frame was received, 0 where it was concealed or is silence for want of packets. */
  readonly received: Uint8Array;
  /** As many frames of what was sent, before its encoding; zeros where nothing was. */
  readonly sent: Int16Array;
}
