import { EventEmitter } from 'node:events';

import pino from 'pino';

import { Shutdown } from '../../../ops/shutdown';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
    this.emit('exited');
  }

  async exited(): Promise<void> {
    if (this.exits.length === 0) await new Promise((resolve) => this.once('exited', resolve));
  }
}

describe('Shutdown', () => {
  let fake: FakeProcess;
  let shutdown: Shutdown;
  let stopped: string[];

  beforeEach(() => {
    fake = new FakeProcess();
    stopped = [];
    shutdown = new Shutdown({ logger: pino({ level: 'silent' }), process: fake }).listen();
    for (const name of ['first', 'second']) shutdown.add(name, () => void stopped.push(name));
  });

  afterEach(() => jest.useRealTimers());

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'])(
    '%s stops the last added first and exits with 0',
    async (event) => {
      fake.emit(event);
      expect(shutdown.requested.aborted).toBe(true);
      await fake.exited();
      expect(stopped).toEqual(['second', 'first']);
      expect(fake.exits).toEqual([0]);
    },
  );

  test('asked twice it runs once', async () => {
    await Promise.all([shutdown.run('a'), shutdown.run('b')]);
    fake.emit('SIGTERM');
    await fake.exited();
    expect(stopped).toEqual(['second', 'first']);
  });

  test('a step that throws does not keep the others from running', async () => {
    shutdown.add('broken', () => {
      throw new Error('broken');
    });
    fake.emit('SIGTERM');
    await fake.exited();
    expect(stopped).toEqual(['second', 'first']);
  });

  test('a failure exits with 1', async () => {
    shutdown.fail(new Error('cannot start'));
    await fake.exited();
    expect(stopped).toEqual(['second', 'first']);
    expect(fake.exits).toEqual([1]);
  });

  describe('a second signal', () => {
    const hurried = async (gapMs: number): Promise<boolean> => {
      jest.useFakeTimers();
      let seen: AbortSignal | undefined;
      let release = (): void => undefined;
      shutdown.add('drain', async (hurry) => {
        seen = hurry;
        await new Promise<void>((resolve) => (release = resolve));
      });
      fake.emit('SIGINT');
      await jest.advanceTimersByTimeAsync(gapMs);
      fake.emit('SIGINT');
      release();
      return seen?.aborted === true;
    };

    test('tells the steps not to wait', async () => {
      expect(await hurried(600)).toBe(true);
    });

    test('within half a second is the same Ctrl-C, which npm passes on as well', async () => {
      expect(await hurried(100)).toBe(false);
    });
  });

  test('past its limit the process exits with 1', async () => {
    jest.useFakeTimers();
    const other = new FakeProcess();
    const slow = new Shutdown({ logger: pino({ level: 'silent' }), process: other, limitMs: 1_000 }).listen();
    slow.add('stuck', () => new Promise<void>(() => undefined));
    other.emit('SIGTERM');
    await jest.advanceTimersByTimeAsync(999);
    expect(other.exits).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(other.exits).toEqual([1]);
  });
});
