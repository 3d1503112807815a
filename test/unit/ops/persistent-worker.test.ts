import type { NativeConnection, Worker } from '@temporalio/worker';
import { createLogger } from '../../../ops/logger';
import { PersistentWorker } from '../../../ops/persistent-worker';
import { sleepOnGlobalTimers } from '../../fakes/fake-sleep';

class FakeWorker {
  state = 'INITIALIZED';
  #end: (error?: Error) => void = () => undefined;

  getState(): string {
    return this.state;
  }

  run(): Promise<void> {
    this.state = 'RUNNING';
    return new Promise((resolve, reject) => {
      this.#end = (error) => {
        this.state = error === undefined ? 'STOPPED' : 'FAILED';
        if (error === undefined) resolve();
        else reject(error);
      };
    });
  }

  shutdown(): void {
    this.#end();
  }

  fail(): void {
    this.#end(new Error('the poller gave up'));
  }
}

let workers: FakeWorker[];
let connections = 0;
let closed = 0;

beforeEach(() => {
  jest.useFakeTimers();
  workers = [];
  connections = 0;
  closed = 0;
});

afterEach(() => {
  jest.useRealTimers();
});

function persistent(connectFailures = 0): PersistentWorker {
  return new PersistentWorker({
    name: 'test',
    logger: createLogger({ name: 'test', level: 'silent' }),
    sleep: sleepOnGlobalTimers,
    connect: () => {
      if (connectFailures-- > 0) return Promise.reject(new Error('unavailable'));
      connections++;
      const close = (): Promise<void> => {
        closed++;
        return Promise.resolve();
      };
      return Promise.resolve({ close } as unknown as NativeConnection);
    },
    create: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return Promise.resolve(worker as unknown as Worker);
    },
  });
}

test('a worker that fails is replaced by another with a connection of its own', async () => {
  const worker = persistent();
  await worker.start();
  for (let failures = 1; failures <= 5; failures++) {
    workers.at(-1)?.fail();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(worker.running).toBe(true);
    expect(workers).toHaveLength(failures + 1);
  }
  expect(connections).toBe(6);
  expect(closed).toBe(5);
  const stopped = worker.shutdown();
  await jest.advanceTimersByTimeAsync(1);
  await stopped;
  expect(closed).toBe(6);
});

test('the start waits for the server as long as it takes', async () => {
  const worker = persistent(20);
  const started = worker.start();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(worker.running).toBe(false);
  await jest.advanceTimersByTimeAsync(60_000);
  await started;
  expect(worker.running).toBe(true);
});

test('a shutdown between two workers ends it without another', async () => {
  const worker = persistent();
  await worker.start();
  workers[0]?.fail();
  await jest.advanceTimersByTimeAsync(1);
  await worker.shutdown();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(workers).toHaveLength(1);
});
