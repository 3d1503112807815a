import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLogger } from '../../../../ops/logger';
import { ManagedProcess } from '../../../../scripts/supervisor/managed-process';
import { ProcessOutput } from '../../../../scripts/supervisor/output';
import { ENDLESS_RESTARTS, LIMITED_RESTARTS } from '../../../../scripts/supervisor/restart-policy';

/** Ends when it is asked to, a moment later. */
class FakeChild extends EventEmitter {
  readonly pid = undefined;
  readonly stdout = null;
  readonly stderr = null;
  readonly signals: string[] = [];
  running = true;

  kill(signal: string): boolean {
    this.signals.push(signal);
    if (signal === 'SIGKILL' || !this.stubborn) setTimeout(() => this.exit(0), 100);
    return true;
  }

  exit(code: number): void {
    if (!this.running) return;
    this.running = false;
    this.emit('exit', code, null);
  }

  constructor(readonly stubborn = false) {
    super();
  }
}

let folder: string;
let children: FakeChild[];
let givenUp: Error[];

beforeEach(() => {
  jest.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'trunkline-managed-'));
  children = [];
  givenUp = [];
});

afterEach(() => {
  jest.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function managed(options: { readonly stubborn?: boolean; readonly endless?: boolean } = {}): ManagedProcess {
  return new ManagedProcess({
    name: 'api',
    launch: () => {
      const child = new FakeChild(options.stubborn);
      children.push(child);
      return child as unknown as ChildProcess;
    },
    pidFile: join(folder, 'api.pid'),
    output: new ProcessOutput('api', () => undefined),
    logger: createLogger({ name: 'test', level: 'silent' }),
    restarts: options.endless ? ENDLESS_RESTARTS : LIMITED_RESTARTS,
    onGiveUp: (error) => givenUp.push(error),
  });
}

const running = (): number => children.filter((child) => child.running).length;
const patient = { limitMs: 5_000, hurry: new AbortController().signal };

test('what ends by itself is started again, and given up after six ends in a row', async () => {
  managed().start();
  for (let ends = 1; ends <= 6; ends++) {
    children.at(-1)?.exit(1);
    await jest.advanceTimersByTimeAsync(10_000 - 1);
  }
  expect(children).toHaveLength(6);
  expect(running()).toBe(0);
  expect(givenUp).toHaveLength(1);
});

test('one that calls live without is tried for ever, every 10 s at last', async () => {
  managed({ endless: true }).start();
  for (let ends = 1; ends <= 40; ends++) {
    children.at(-1)?.exit(1);
    await jest.advanceTimersByTimeAsync(10_000);
  }
  expect(children).toHaveLength(41);
  expect(running()).toBe(1);
  expect(givenUp).toEqual([]);
});

test('one that ends while it waits to be started again, or while it is stopped, stays ended', async () => {
  const waiting = managed();
  waiting.start();
  children[0]?.exit(1);
  await waiting.stop(patient);
  const stopping = managed();
  stopping.start();
  const stopped = stopping.stop(patient);
  children[1]?.exit(1);
  await stopped;
  await jest.advanceTimersByTimeAsync(60_000);
  expect(running()).toBe(0);
  expect(children).toHaveLength(2);
});

test('two restarts at once leave one process', async () => {
  const process = managed();
  process.start();
  const restarts = Promise.all([process.restart(patient), process.restart(patient)]);
  await jest.advanceTimersByTimeAsync(1_000);
  await restarts;
  expect(running()).toBe(1);
  expect(children).toHaveLength(2);
});

test('a restart that meets the final stop leaves none', async () => {
  const process = managed();
  process.start();
  const ended = Promise.all([process.restart(patient), process.stop(patient)]);
  await jest.advanceTimersByTimeAsync(1_000);
  await ended;
  expect(running()).toBe(0);
});

test('one that does not end is killed at its limit', async () => {
  const process = managed({ stubborn: true });
  process.start();
  const stopped = process.stop(patient);
  await jest.advanceTimersByTimeAsync(4_900);
  expect(running()).toBe(1);
  await jest.advanceTimersByTimeAsync(300);
  await stopped;
  expect(children[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
});
