/**
 * A detector in a worker thread of its own, loaded from the build: onnxruntime checks its arrays by `instanceof`, which
 * does not hold across jest's module realm.
 */
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { VoiceActivityDetector } from '../../../media/agent/vad/voice-activity';
import { threadEntry } from '../../../media/thread-entry';

const VAD_SOURCES = join(__dirname, '..', '..', '..', 'media', 'agent', 'vad');

const BODY = `
const { parentPort, workerData } = require('node:worker_threads');
const { [workerData.exported]: Detector } = require(workerData.path);
void Detector.load().then((detector) => {
  const streams = [];
  parentPort.on('message', async ({ ids, pcm }) => {
    for (const id of ids) streams[id] ??= detector.open();
    parentPort.postMessage(await detector.detect(ids.map((id) => streams[id]), pcm));
  });
  parentPort.postMessage(detector.name);
});`;

export class CompiledDetector implements VoiceActivityDetector<unknown> {
  readonly windowSamples = 256;
  readonly name: string;
  readonly #worker: Worker;
  #streams = 0;

  private constructor(worker: Worker, name: string) {
    this.#worker = worker;
    this.name = name;
  }

  static async load(exported: string, file: string): Promise<CompiledDetector> {
    const path = join(dirname(threadEntry(VAD_SOURCES, 'speech-thread')), file);
    const worker = new Worker(BODY, { eval: true, workerData: { exported, path } });
    const [name] = (await once(worker, 'message')) as [string];
    return new CompiledDetector(worker, name);
  }

  open(): unknown {
    return this.#streams++;
  }

  async detect(streams: readonly unknown[], pcm: Int16Array): Promise<Float32Array> {
    this.#worker.postMessage({ ids: streams, pcm });
    const [result] = (await once(this.#worker, 'message')) as [Float32Array];
    return result;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
