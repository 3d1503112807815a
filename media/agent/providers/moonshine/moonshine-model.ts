/**
 * Moonshine tiny (int8), an encoder-decoder speech recogniser for English: 16 kHz samples in, Llama tokens out, decoded
 * greedily with a key/value cache. https://arxiv.org/abs/2410.15608
 */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadOnnxRuntime, ONE_THREAD } from '../onnx-runtime';
import type { OnnxRuntime } from '../onnx-runtime';
import { packageFile } from '../package-file';

const SAMPLE_RATE_HZ = 16_000;
const LAYERS = 6;
const HEADS = 8;
const HEAD_SIZE = 36;
const START_TOKEN = 1;
const END_TOKEN = 2;
/** Speech has fewer tokens per second; beyond it the decoder repeats itself. The paper's own bound for training data. */
const MAX_TOKENS_PER_SECOND = 6.5;
const MIN_TOKENS = 4;
/** The encoder's convolutions need about 90 ms; shorter input is padded with silence. */
const MIN_SAMPLES = SAMPLE_RATE_HZ / 4;

export interface Recognised {
  readonly text: string;
  /** Geometric mean of the chosen tokens' probabilities. */
  readonly confidence: number;
}

interface Detokeniser {
  decode(tokens: number[], addBos?: boolean, addPrecedingSpace?: boolean): string;
}

export class MoonshineModel {
  readonly #onnx: OnnxRuntime;
  readonly #encoder: InferenceSession;
  readonly #decoder: InferenceSession;
  readonly #detokeniser: Detokeniser;

  private constructor(
    onnx: OnnxRuntime,
    encoder: InferenceSession,
    decoder: InferenceSession,
    detokeniser: Detokeniser,
  ) {
    this.#onnx = onnx;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#detokeniser = detokeniser;
  }

  static async load(): Promise<MoonshineModel> {
    const file = (name: string): string =>
      packageFile('@moonshine-ai/moonshine-js', `dist/model/tiny/quantized/${name}.onnx`);
    const onnx = await loadOnnxRuntime();
    const [encoder, decoder, tokeniser] = await Promise.all([
      onnx.InferenceSession.create(file('encoder_model'), ONE_THREAD),
      onnx.InferenceSession.create(file('decoder_model_merged'), ONE_THREAD),
      import('llama-tokenizer-js'),
    ]);
    return new MoonshineModel(onnx, encoder, decoder, tokeniser.default);
  }

  /** `samples`: 16 kHz, −1..1. Stops early, with what it has, when `isCancelled` says so between two tokens. */
  async recognise(samples: Float32Array, isCancelled: () => boolean): Promise<Recognised> {
    const tokenLimit = Math.max(MIN_TOKENS, Math.ceil((samples.length / SAMPLE_RATE_HZ) * MAX_TOKENS_PER_SECOND));
    const input = padded(samples);
    const { Tensor } = this.#onnx;
    const encoded = await this.#encoder.run({ input_values: new Tensor('float32', input, [1, input.length]) });
    const hidden = encoded['last_hidden_state']!;
    const cache = this.#emptyCache();
    const tokens: number[] = [];
    let token = START_TOKEN;
    let logProbability = 0;
    while (tokens.length < tokenLimit && !isCancelled()) {
      const first = tokens.length === 0;
      const output = await this.#decoder.run({
        input_ids: new Tensor('int64', BigInt64Array.of(BigInt(token)), [1, 1]),
        encoder_hidden_states: hidden,
        use_cache_branch: new Tensor('bool', [!first], [1]),
        ...cache,
      });
      const best = mostLikely(output['logits']!.data as Float32Array);
      token = best.token;
      logProbability += best.logProbability;
      if (token === END_TOKEN) break;
      tokens.push(token);
      keep(cache, output, first);
    }
    const text = tokens.length === 0 ? '' : this.#detokeniser.decode(tokens, false, false).trim();
    return { text, confidence: Math.exp(logProbability / (tokens.length + 1)) };
  }

  #emptyCache(): Record<string, Tensor> {
    const cache: Record<string, Tensor> = {};
    for (let layer = 0; layer < LAYERS; layer++)
      for (const side of ['decoder', 'encoder'])
        for (const part of ['key', 'value'])
          cache[`past_key_values.${layer}.${side}.${part}`] = new this.#onnx.Tensor('float32', new Float32Array(0), [
            1,
            HEADS,
            0,
            HEAD_SIZE,
          ]);
    return cache;
  }
}

/** The encoder's keys and values are computed in the first step and stay; the decoder's grow by one each step. */
function keep(cache: Record<string, Tensor>, output: InferenceSession.ReturnType, first: boolean): void {
  for (const name of Object.keys(cache)) {
    if (first || name.includes('.decoder.')) cache[name] = output[name.replace('past_key_values', 'present')]!;
  }
}

function mostLikely(logits: Float32Array): { token: number; logProbability: number } {
  let token = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[token]!) token = i;
  const top = logits[token]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - top);
  return { token, logProbability: -Math.log(sum) };
}

function padded(samples: Float32Array): Float32Array {
  if (samples.length >= MIN_SAMPLES) return samples;
  const output = new Float32Array(MIN_SAMPLES);
  output.set(samples);
  return output;
}
