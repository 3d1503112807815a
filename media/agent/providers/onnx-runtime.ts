/** onnxruntime is an optional dependency; every session runs on one thread, since the cores are shared with packets. */
import type * as Onnx from 'onnxruntime-node';

export type OnnxRuntime = typeof Onnx;

export const ONE_THREAD: Onnx.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
};

/**
 * Quantised weights become floats when the model is loaded. By default they do at each run, to be fused with what uses them;
 * a large table that is multiplied with one vector is then spent on little else.
 */
export const ONE_THREAD_UNPACKED: Onnx.InferenceSession.SessionOptions = {
  ...ONE_THREAD,
  extra: { session: { disable_quant_qdq: '1' } },
};

/** Throws when the optional package, or its binary for this platform, is missing. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  return import('onnxruntime-node');
}
