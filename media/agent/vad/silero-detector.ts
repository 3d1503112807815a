/**
 * Silero VAD v6 at 8 kHz, all calls of a tick in one run: windows of 256 samples, each preceded by the last 32 samples
 * of the window before, and 2 × 128 values of recurrent state per call.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { GRAPH_RATE_HZ } from '../../audio/frame';
import { loadOnnxRuntime, ONE_THREAD } from '../providers/onnx-runtime';
import type { OnnxRuntime } from '../providers/onnx-runtime';
import { packageFile } from '../providers/package-file';
import type { VoiceActivityDetector } from './voice-activity';

const WINDOW_SAMPLES = 256;
const CONTEXT_SAMPLES = 32;
const INPUT_SAMPLES = CONTEXT_SAMPLES + WINDOW_SAMPLES;
const STATE_LAYERS = 2;
const STATE_SIZE = 128;

export interface SileroStream {
  readonly context: Float32Array;
  /** Layer after layer. */
  readonly state: Float32Array;
}

export class SileroDetector implements VoiceActivityDetector<SileroStream> {
  readonly name = 'silero-v6';
  readonly windowSamples = WINDOW_SAMPLES;
  readonly #onnx: OnnxRuntime;
  readonly #session: InferenceSession;
  readonly #sampleRate: Tensor;

  private constructor(onnx: OnnxRuntime, session: InferenceSession) {
    this.#onnx = onnx;
    this.#session = session;
    this.#sampleRate = new onnx.Tensor('int64', BigInt64Array.of(BigInt(GRAPH_RATE_HZ)), []);
  }

  static async load(): Promise<SileroDetector> {
    const onnx = await loadOnnxRuntime();
    const path = packageFile('@ricky0123/vad-web', 'dist/silero_vad_v6.onnx');
    return new SileroDetector(onnx, await onnx.InferenceSession.create(path, ONE_THREAD));
  }

  open(): SileroStream {
    return { context: new Float32Array(CONTEXT_SAMPLES), state: new Float32Array(STATE_LAYERS * STATE_SIZE) };
  }

  async detect(streams: readonly SileroStream[], pcm: Int16Array): Promise<Float32Array> {
    const count = streams.length;
    const input = new Float32Array(count * INPUT_SAMPLES);
    const state = new Float32Array(STATE_LAYERS * count * STATE_SIZE);
    streams.forEach((stream, i) => {
      const row = input.subarray(i * INPUT_SAMPLES, (i + 1) * INPUT_SAMPLES);
      row.set(stream.context);
      for (let k = 0; k < WINDOW_SAMPLES; k++) row[CONTEXT_SAMPLES + k] = pcm[i * WINDOW_SAMPLES + k]! / 32768;
      stream.context.set(row.subarray(WINDOW_SAMPLES));
      for (let layer = 0; layer < STATE_LAYERS; layer++)
        state.set(
          stream.state.subarray(layer * STATE_SIZE, (layer + 1) * STATE_SIZE),
          (layer * count + i) * STATE_SIZE,
        );
    });
    const { Tensor } = this.#onnx;
    const result = await this.#session.run({
      input: new Tensor('float32', input, [count, INPUT_SAMPLES]),
      state: new Tensor('float32', state, [STATE_LAYERS, count, STATE_SIZE]),
      sr: this.#sampleRate,
    });
    const nextState = result['stateN']!.data as Float32Array;
    streams.forEach((stream, i) => {
      for (let layer = 0; layer < STATE_LAYERS; layer++) {
        const from = (layer * count + i) * STATE_SIZE;
        stream.state.set(nextState.subarray(from, from + STATE_SIZE), layer * STATE_SIZE);
      }
    });
    return (result['output']!.data as Float32Array).slice();
  }
}
