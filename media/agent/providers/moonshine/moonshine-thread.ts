/** Worker thread: recognises one utterance after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { doubleRate } from '../../../audio/half-band';
import type { StopRequest } from '../../stop-thread';
import type { RecogniseJob, RecogniserData, RecogniserReply } from './messages';
import { MoonshineModel } from './moonshine-model';

const { cancelled } = workerData as RecogniserData;

function reply(message: RecogniserReply): void {
  parentPort?.postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

async function recognise(model: MoonshineModel, job: RecogniseJob): Promise<void> {
  try {
    const isCancelled = (): boolean => Atomics.load(cancelled, 0) === job.id;
    const { text, confidence } = await model.recognise(doubleRate(job.pcm), isCancelled);
    reply({ type: 'done', id: job.id, text, confidence });
  } catch (error) {
    reply({ type: 'failed', id: job.id, message: messageOf(error) });
  }
}

async function main(): Promise<void> {
  try {
    const model = await MoonshineModel.load();
    // The first run sets up buffers; no caller should wait for that.
    await model.recognise(new Float32Array(16_000), () => false);
    parentPort?.on('message', (message: RecogniseJob | StopRequest) => {
      if (message.type === 'stop') process.exit(0);
      else void recognise(model, message);
    });
    reply({ type: 'ready' });
  } catch (error) {
    reply({ type: 'unavailable', message: messageOf(error) });
  }
}

void main();
