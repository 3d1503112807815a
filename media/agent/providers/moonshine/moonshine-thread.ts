/** Worker thread: recognises one batch of utterances after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { doubleRate } from '../../../audio/half-band';
import type { StopRequest } from '../../stop-thread';
import type { RecogniseBatch, RecogniserData, RecogniserReply } from './messages';
import { MoonshineModel } from './moonshine-model';

const { cancelled } = workerData as RecogniserData;

function reply(message: RecogniserReply): void {
  parentPort?.postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

async function recognise(model: MoonshineModel, { jobs }: RecogniseBatch): Promise<void> {
  const open = new Set(jobs.map(({ id }) => id));
  try {
    await model.recognise(
      jobs.map(({ id, pcm }, place) => ({
        samples: doubleRate(pcm),
        isCancelled: () => Atomics.load(cancelled, place) === id,
        onRecognised: ({ text, confidence }) => {
          open.delete(id);
          reply({ type: 'done', id, text, confidence });
        },
      })),
    );
  } catch (error) {
    for (const id of open) reply({ type: 'failed', id, message: messageOf(error) });
  }
}

async function main(): Promise<void> {
  try {
    const model = await MoonshineModel.load();
    // The first run sets up buffers; no caller should wait for that.
    const silence = new Float32Array(16_000);
    await model.recognise([{ samples: silence, isCancelled: () => false, onRecognised: () => undefined }]);
    parentPort?.on('message', (message: RecogniseBatch | StopRequest) => {
      if (message.type === 'stop') process.exit(0);
      else void recognise(model, message);
    });
    reply({ type: 'ready' });
  } catch (error) {
    reply({ type: 'unavailable', message: messageOf(error) });
  }
}

void main();
