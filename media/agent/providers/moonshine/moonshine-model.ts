/**
 * Moonshine tiny (int8), an encoder-decoder speech recogniser for English: 16 kHz samples in, Llama tokens out, decoded
 * greedily with a key/value cache, several utterances at once. https://arxiv.org/abs/2410.15608
 */
import type { InferenceSession } from 'onnxruntime-node';
import { loadOnnxRuntime, ONE_THREAD_UNPACKED } from '../onnx-runtime';
import type { OnnxRuntime } from '../onnx-runtime';
import { packageFile } from '../package-file';
import { DecoderCache } from './decoder-cache';

const SAMPLE_RATE_HZ = 16_000;
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

export interface Utterance {
  /** 16 kHz, −1..1. */
  readonly samples: Float32Array;
  /** Asked between two tokens: it ends then, with what it has. */
  readonly isCancelled: () => boolean;
  /** Called once, when its last token is known. */
  readonly onRecognised: (result: Recognised) => void;
}

interface Detokeniser {
  decode(tokens: number[], addBos?: boolean, addPrecedingSpace?: boolean): string;
}

/** One utterance on its way through the decoder. */
interface Row {
  readonly utterance: Utterance;
  readonly tokenLimit: number;
  readonly tokens: number[];
  last: number;
  logProbability: number;
  over: boolean;
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
      onnx.InferenceSession.create(file('encoder_model'), ONE_THREAD_UNPACKED),
      onnx.InferenceSession.create(file('decoder_model_merged'), ONE_THREAD_UNPACKED),
      import('llama-tokenizer-js'),
    ]);
    return new MoonshineModel(onnx, encoder, decoder, tokeniser.default);
  }

  /** Shorter ones are made as long as the longest by silence. Resolves when all of them are recognised. */
  async recognise(utterances: readonly Utterance[]): Promise<void> {
    const { Tensor } = this.#onnx;
    const longest = Math.max(MIN_SAMPLES, ...utterances.map(({ samples }) => samples.length));
    const input = new Float32Array(utterances.length * longest);
    utterances.forEach(({ samples }, n) => input.set(samples, n * longest));
    const encoded = await this.#encoder.run({
      input_values: new Tensor('float32', input, [utterances.length, longest]),
    });
    const cache = new DecoderCache(this.#onnx, encoded['last_hidden_state']!);
    let rows = utterances.map(rowOf);
    while (rows.length > 0) {
      const ids = BigInt64Array.from(rows, ({ last }) => BigInt(last));
      const wanted = cache.wanted(this.#decoder.outputNames);
      const step = { input_ids: new Tensor('int64', ids, [rows.length, 1]), ...cache.feeds() };
      const output = await this.#decoder.run(step, wanted);
      const logits = output['logits']!.data as Float32Array;
      const size = logits.length / rows.length;
      rows.forEach((row, n) => {
        if (!row.over) this.#advance(row, logits.subarray(n * size, (n + 1) * size));
      });
      cache.keep(output);
      const left = rows.filter(({ over }) => !over);
      // Those that are over go on unheard until leaving them out costs less than carrying them along.
      if (left.length <= rows.length / 2) {
        cache.select(rows.flatMap(({ over }, n) => (over ? [] : [n])));
        rows = left;
      }
    }
  }

  #advance(row: Row, logits: Float32Array): void {
    const { token, logProbability } = mostLikely(logits);
    row.last = token;
    row.logProbability += logProbability;
    if (token !== END_TOKEN) row.tokens.push(token);
    row.over = token === END_TOKEN || row.tokens.length >= row.tokenLimit || row.utterance.isCancelled();
    if (!row.over) return;
    const { tokens } = row;
    const text = tokens.length === 0 ? '' : this.#detokeniser.decode(tokens, false, false).trim();
    row.utterance.onRecognised({ text, confidence: Math.exp(row.logProbability / (tokens.length + 1)) });
  }
}

function rowOf(utterance: Utterance): Row {
  const seconds = utterance.samples.length / SAMPLE_RATE_HZ;
  const tokenLimit = Math.max(MIN_TOKENS, Math.ceil(seconds * MAX_TOKENS_PER_SECOND));
  return { utterance, tokenLimit, tokens: [], last: START_TOKEN, logProbability: 0, over: false };
}

function mostLikely(logits: Float32Array): { token: number; logProbability: number } {
  let token = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[token]!) token = i;
  const top = logits[token]!;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i]! - top);
  return { token, logProbability: -Math.log(sum) };
}
