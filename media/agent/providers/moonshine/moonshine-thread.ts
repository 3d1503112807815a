/** Worker thread: recognises one batch of utterances after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { StopRequest } from '../../stop-thread';
import { firstHearing, isSure, secondHearing } from './hearings';
import type { RecogniseBatch, RecogniserData, RecogniserReply } from './messages';
import { MoonshineModel } from './moonshine-model';
import type { Recognised } from './moonshine-model';

const { cancelled, waiting } = workerData as RecogniserData;

function reply(message: RecogniserReply): void {
  parentPort?.postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

async function recognise(model: MoonshineModel, { jobs }: RecogniseBatch): Promise<void> {
  const open = new Set(jobs.map(({ id }) => id));
  const end = (id: number, { text, confidence }: Recognised): void => {
    open.delete(id);
    reply({ type: 'done', id, text, confidence });
  };
  const all = jobs.map(({ id, pcm }, place) => ({ id, pcm, isCancelled: () => Atomics.load(cancelled, place) === id }));
  const unsure: ((typeof all)[number] & { readonly first: Recognised })[] = [];
  try {
    await model.recognise(
      all.map((job) => ({
        samples: firstHearing(job.pcm),
        isCancelled: job.isCancelled,
        onRecognised: (first) => {
          // Whoever waits is heard once before anybody is heard twice.
          if (isSure(first) || job.isCancelled() || Atomics.load(waiting, 0) > 0) end(job.id, first);
          else unsure.push({ ...job, first });
        },
      })),
    );
    if (unsure.length === 0) return;
    await model.recognise(
      unsure.map(({ id, pcm, isCancelled, first }) => ({
        samples: secondHearing(pcm),
        isCancelled,
        onRecognised: (second) => end(id, second.confidence > first.confidence ? second : first),
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
