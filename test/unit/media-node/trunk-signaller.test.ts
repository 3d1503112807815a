import { setImmediate as nextTurn } from 'node:timers/promises';

import type { TrunkHealth, TrunkHealthState } from '../../../contract/trunk-health';
import { TrunkReports } from '../../../media-node/trunk-reports';
import { TrunkSignaller } from '../../../media-node/trunk-signaller';
import { createLogger } from '../../../ops/logger';
import type { TrunkHealthReport } from '../../../store/repositories/trunk-health-repository';

const logger = createLogger({ name: 'test', level: 'silent' });
const health = (state: TrunkHealthState, sinceMs: number): TrunkHealth => ({
  state,
  reasons: [],
  sinceMs,
  checkedAtMs: null,
  rttMs: null,
  registration: null,
});

describe("what a trunk's workflow is told", () => {
  function setUp(answer: () => 'delivered' | 'gone' | 'fails') {
    const log: string[] = [];
    const signaller = new TrunkSignaller({
      nodeId: 'n1',
      signal: (trunkId, { state, at, nodeId }) => {
        const result = answer();
        log.push(`${trunkId} ${state} ${at} ${nodeId} ${result}`);
        return result === 'fails' ? Promise.reject(new Error('away')) : Promise.resolve(result);
      },
      onTold: (trunkId, sinceMs) => log.push(`${trunkId} told ${sinceMs}`),
      logger,
      sleep: () => nextTurn(),
    });
    return { signaller, log };
  }

  const settle = async (): Promise<void> => {
    for (let n = 0; n < 20; n++) await nextTurn();
  };

  it.each(['delivered', 'gone'] as const)('counts as told when it is %s', async (outcome) => {
    const { signaller, log } = setUp(() => outcome);
    signaller.tell('t', health('down', 5));
    await settle();
    expect(log).toEqual([`t down 1970-01-01T00:00:00.005Z n1 ${outcome}`, 't told 5']);
  });

  it('is told again until it is acknowledged, and not any more when there is something newer', async () => {
    let failures = 2;
    const { signaller, log } = setUp(() => (failures-- > 0 ? 'fails' : 'delivered'));
    signaller.tell('t', health('degraded', 1));
    signaller.tell('t', health('down', 2));
    await settle();
    expect(log.filter((line) => line.includes('delivered'))).toEqual(['t down 1970-01-01T00:00:00.002Z n1 delivered']);
    expect(log.at(-1)).toBe('t told 2');
  });

  it('is another node’s to tell when the trunk is', async () => {
    let fails = true;
    const { signaller, log } = setUp(() => (fails ? 'fails' : 'delivered'));
    signaller.tell('t', health('down', 1));
    await nextTurn();
    signaller.forget('t');
    fails = false;
    await settle();
    expect(log.join()).not.toContain('delivered');
    expect(log.join()).not.toContain('told');
  });

  it('is given up at the end of the node', async () => {
    const { signaller, log } = setUp(() => 'fails');
    signaller.tell('t', health('down', 1));
    await nextTurn();
    signaller.close();
    await settle();
    const tries = log.length;
    await settle();
    expect(log).toHaveLength(tries);
  });
});

describe('what is stored of trunks', () => {
  function setUp(report: (reports: readonly TrunkHealthReport[]) => string[]) {
    const batches: (readonly TrunkHealthReport[])[] = [];
    const reports = new TrunkReports({
      boot: { nodeId: 'n', bootId: 'b' },
      store: {
        report: (_, given) => {
          batches.push(given);
          return Promise.resolve(given).then(report);
        },
      },
      logger,
    });
    return { reports, batches };
  }
  const all = (given: readonly TrunkHealthReport[]): string[] => given.map(({ trunkId }) => trunkId);

  it('is the newest of each, once', async () => {
    const { reports, batches } = setUp(all);
    reports.add('a', health('degraded', 1));
    reports.add('a', health('down', 2));
    reports.add('b', health('healthy', 3));
    await reports.flush();
    await reports.flush();
    expect(batches.map((batch) => batch.map(({ trunkId, health: { state } }) => `${trunkId} ${state}`))).toEqual([
      ['a down', 'b healthy'],
    ]);
  });

  it('waits where PostgreSQL is away, or somebody changes the row', async () => {
    let answer: (given: readonly TrunkHealthReport[]) => string[] = () => {
      throw new Error('away');
    };
    const { reports, batches } = setUp((given) => answer(given));
    reports.add('a', health('down', 1));
    await reports.flush();
    answer = () => [];
    await reports.flush();
    answer = all;
    await reports.flush();
    await reports.flush();
    expect(batches).toHaveLength(3);
  });

  it('says what the workflow was told, from then on', async () => {
    const { reports, batches } = setUp(all);
    reports.add('a', health('down', 1));
    await reports.flush();
    reports.told('a', 1, health('down', 1));
    await reports.flush();
    reports.add('a', health('healthy', 2));
    await reports.flush();
    expect(batches.flat().map(({ toldSinceMs }) => toldSinceMs)).toEqual([null, 1, 1]);
  });

  it('comes in batches', async () => {
    const { reports, batches } = setUp(all);
    for (let n = 0; n < 1_200; n++) reports.add(`t${n}`, health('healthy', 1));
    await reports.flush();
    expect(batches.map((batch) => batch.length)).toEqual([500, 500, 200]);
  });

  it('is nothing of a trunk that is another node’s', async () => {
    const { reports, batches } = setUp(all);
    reports.add('a', health('down', 1));
    reports.forget('a');
    await reports.flush();
    expect(batches).toEqual([]);
  });
});
