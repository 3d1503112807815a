/**
 * What the decoder remembers from step to step: keys and values of what it has said, and of what it hears. The latter are
 * computed in the first step and stay; the former grow by one in each.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OnnxRuntime } from '../onnx-runtime';

const LAYERS = 6;
const HEADS = 8;
const HEAD_SIZE = 36;

const NAMES: readonly string[] = Array.from({ length: LAYERS }, (_, layer) => layer).flatMap((layer) =>
  ['decoder', 'encoder'].flatMap((side) => ['key', 'value'].map((part) => `past_key_values.${layer}.${side}.${part}`)),
);

export class DecoderCache {
  readonly #onnx: OnnxRuntime;
  #hidden: Tensor;
  #past: Record<string, Tensor>;
  #first = true;

  /** @param hidden what the encoder has made of each utterance: [utterances, positions, size] */
  constructor(onnx: OnnxRuntime, hidden: Tensor) {
    this.#onnx = onnx;
    this.#hidden = hidden;
    const empty = [hidden.dims[0]!, HEADS, 0, HEAD_SIZE];
    this.#past = Object.fromEntries(
      NAMES.map((name) => [name, new onnx.Tensor('float32', new Float32Array(0), empty)]),
    );
  }

  feeds(): InferenceSession.OnnxValueMapType {
    const { Tensor } = this.#onnx;
    return {
      encoder_hidden_states: this.#hidden,
      use_cache_branch: new Tensor('bool', [!this.#first], [1]),
      ...this.#past,
    };
  }

  /** Of the decoder's outputs: what stays as it is need not be copied out of it in each step. */
  wanted(outputs: readonly string[]): string[] {
    return outputs.filter((name) => this.#first || !name.includes('.encoder.'));
  }

  keep(output: InferenceSession.OnnxValueMapType): void {
    for (const name of NAMES) {
      if (this.#first || name.includes('.decoder.')) {
        this.#past[name] = output[name.replace('past_key_values', 'present')] as Tensor;
      }
    }
    this.#first = false;
  }

  /** The others are over. */
  select(rows: readonly number[]): void {
    if (rows.length === 0) return;
    const selected = (tensor: Tensor): Tensor => {
      const size = tensor.size / tensor.dims[0]!;
      const data = new Float32Array(rows.length * size);
      rows.forEach((row, n) => {
        data.set((tensor.data as Float32Array).subarray(row * size, (row + 1) * size), n * size);
      });
      return new this.#onnx.Tensor('float32', data, [rows.length, ...tensor.dims.slice(1)]);
    };
    this.#hidden = selected(this.#hidden);
    this.#past = Object.fromEntries(Object.entries(this.#past).map(([name, tensor]) => [name, selected(tensor)]));
  }
}
