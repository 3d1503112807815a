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

beforeEach(() => jest.useFakeTimers());
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
