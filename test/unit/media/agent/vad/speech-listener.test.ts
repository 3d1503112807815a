import { EventEmitter } from 'node:events';
import { SpeechListener } from '../../../../../media/agent/vad/speech-listener';

const threads: FakeThread[] = [];

class FakeThread extends EventEmitter {
  readonly posted: unknown[] = [];

  constructor() {
    super();
    threads.push(this);
  }

  postMessage(message: { type: string }): void {
    this.posted.push(message);
    if (message.type === 'stop') this.emit('exit', 0);
  }

  unref(): void {}

  ready(): void {
    this.emit('message', { type: 'ready', detector: 'fake', fallbackBecause: null });
  }
}

jest.mock('node:worker_threads', () => ({
  ...jest.requireActual<object>('node:worker_threads'),
  get Worker() {
    return FakeThread;
  },
}));
jest.mock('../../../../../media/thread-entry', () => ({ threadEntry: () => 'speech-thread.js' }));

beforeEach(() => {
  threads.length = 0;
  jest.useFakeTimers();
});
afterEach(() => jest.useRealTimers());

test('a speech thread that cannot be started again is tried until it can', async () => {
  const told: string[] = [];
  const listener = new SpeechListener({
    onReplaced: () => told.push('replaced'),
    onFailure: () => told.push('failed'),
  });
  const started = listener.start();
  threads[0]!.ready();
  await started;
  listener.open(7, () => undefined);
  threads[0]!.emit('exit', 1);
  await jest.advanceTimersByTimeAsync(200);
  threads[1]!.emit('exit', 1);
  await jest.advanceTimersByTimeAsync(5_000);
  threads[2]!.ready();
  await jest.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['failed', 'replaced']);
  expect(threads[2]!.posted).toContainEqual({ type: 'open', mediaId: 7 });
  await listener.close();
});

test('what is asked for while the thread is being replaced is refused at once, and answered again afterwards', async () => {
  const listener = new SpeechListener({ onFailure: () => undefined });
  const started = listener.start();
  threads[0]!.ready();
  await started;
  const ear = listener.open(7, () => undefined);
  const asked = ear.utterance();
  threads[0]!.emit('exit', 1);
  await expect(asked).rejects.toMatchObject({ code: 'failed' });
  // Dead; its successor is on its way; that one failed too; the next is on its way; and loads.
  const unavailable = { code: 'unavailable' };
  await expect(ear.utterance()).rejects.toMatchObject(unavailable);
  await jest.advanceTimersByTimeAsync(200);
  await expect(ear.utterance()).rejects.toMatchObject(unavailable);
  threads[1]!.emit('exit', 1);
  await expect(ear.utterance()).rejects.toMatchObject(unavailable);
  await jest.advanceTimersByTimeAsync(5_000);
  await expect(ear.utterance()).rejects.toMatchObject(unavailable);
  threads[2]!.ready();
  await jest.advanceTimersByTimeAsync(0);
  const again = ear.utterance();
  const { requestId } = threads[2]!.posted.at(-1) as { requestId: number };
  threads[2]!.emit('message', { type: 'utterance', requestId, pcm: Int16Array.of(1, 2) });
  await expect(again).resolves.toEqual(Int16Array.of(1, 2));
  await listener.close();
  await expect(ear.utterance()).rejects.toMatchObject(unavailable);
});
