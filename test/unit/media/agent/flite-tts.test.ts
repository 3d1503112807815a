import { EventEmitter } from 'node:events';
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';

const children: FakeChild[] = [];

class FakeChild extends EventEmitter {
  pid: number | undefined = 1;
  readonly kill = jest.fn();
  readonly send = jest.fn((job: { id: number }) => {
    this.emit('message', { type: 'done', id: job.id, pcm: Int16Array.of(1, 2, 3) });
  });
}

jest.mock('node:child_process', () => ({
  fork: () => {
    const child = new FakeChild();
    children.push(child);
    return child;
  },
}));
jest.mock('../../../../media/thread-entry', () => ({ threadEntry: () => 'flite-process.js' }));

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('a process that cannot even be started is tried again, like one that died', async () => {
  const causes: string[] = [];
  const tts = new FliteTts({ onRestart: (cause) => causes.push(cause) });
  const started = tts.start();
  children[0]!.emit('message', { type: 'ready', voices: ['rms'] });
  await started;
  children[0]!.emit('exit', null, 'SIGKILL');
  await jest.advanceTimersByTimeAsync(0);
  children[1]!.pid = undefined;
  children[1]!.emit('error', new Error('spawn EAGAIN'));
  await jest.advanceTimersByTimeAsync(200);
  expect(causes).toEqual(['SIGKILL', 'spawn EAGAIN']);
  children[2]!.emit('message', { type: 'ready', voices: ['rms'] });
  const spoken = tts.synthesise({ text: 'Hello', voiceId: null, speedPct: 100 }).next();
  await expect(spoken).resolves.toMatchObject({ value: Int16Array.of(1, 2, 3) });
  const closed = tts.close();
  children[2]!.emit('exit', null, 'SIGKILL');
  await closed;
});
