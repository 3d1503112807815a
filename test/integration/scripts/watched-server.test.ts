import { setTimeout as sleep } from 'node:timers/promises';

import { createLogger } from '../../../ops/logger';
import { processIdentity } from '../../../scripts/process/identity';
import type { ProcessRecord } from '../../../scripts/process/pid-file';
import { WatchedServer } from '../../../scripts/supervisor/watched-server';

/** Runs as long as it is not stopped: as a process it is the test's own. */
class FakeServer {
  readonly done: string[] = [];
  record: ProcessRecord | undefined;
  broken = false;
  asked = 0;

  start(): Promise<void> {
    this.done.push('start');
    this.broken = false;
    this.record = { pid: process.pid, identity: processIdentity(process.pid) ?? '', details: {} };
    return Promise.resolve();
  }

  stop(): Promise<void> {
    if (this.record !== undefined) this.done.push('stop');
    this.record = undefined;
    return Promise.resolve();
  }

  isBroken(): Promise<boolean> {
    this.asked += 1;
    return Promise.resolve(this.broken);
  }
}

/** Until the server was asked so many times more. */
async function asked(server: FakeServer, times: number): Promise<void> {
  for (const enough = server.asked + times; server.asked < enough;) await sleep(5);
}

describe('an embedded server that is watched', () => {
  let server: FakeServer;
  let watched: WatchedServer;

  beforeEach(async () => {
    server = new FakeServer();
    const logger = createLogger({ name: 'test', level: 'fatal' });
    watched = new WatchedServer({ name: 'temporal', server, logger, askEveryMs: 0, onGiveUp: () => undefined });
    await watched.start();
  });

  afterEach(() => watched.stop());

  test('is started again when its process is gone', async () => {
    server.record = undefined;
    await asked(server, 1);
    expect(server.done).toEqual(['start', 'start']);
  });

  test('is stopped and started again when it lives and says again and again that it serves nothing', async () => {
    server.broken = true;
    await asked(server, 4);
    expect(server.done).toEqual(['start', 'stop', 'start']);
  });

  test('is left alone when it says so for a moment only', async () => {
    for (let round = 0; round < 2; round++) {
      server.broken = true;
      await asked(server, 2);
      server.broken = false;
      await asked(server, 1);
    }
    expect(server.done).toEqual(['start']);
  });
});
