import { setImmediate as nextTurn } from 'node:timers/promises';

import type { TrunkHealth } from '../../../contract/trunk-health';
import { TrunkOwnership } from '../../../media-node/trunk-ownership';
import { TrunkReports } from '../../../media-node/trunk-reports';
import { TrunkMonitors } from '../../../media/trunk/trunk-monitors';
import { RegisteredLines } from '../../../media/sip/registration/registered-lines';
import { createLogger } from '../../../ops/logger';
import type { TakenTrunk, TrunkLeases } from '../../../store/repositories/trunk-health-repository';
import { FakeClock } from '../../fakes/fake-clock';
import { TRUNK } from '../../fakes/fake-directory';
import { expiresOf, FakeOutOfDialog } from '../../fakes/media/sip/fake-out-of-dialog';

const HEALTHY: TrunkHealth = {
  state: 'healthy',
  reasons: [],
  sinceMs: 1_000,
  checkedAtMs: 2_000,
  rttMs: 9,
  registration: null,
};
const UNKNOWN: TrunkHealth = { ...HEALTHY, state: 'unknown', checkedAtMs: null, rttMs: null };
const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** A node on a clock of the test's, with a database and a carrier that answer as the test says. */
class Node {
  readonly carrier = new FakeOutOfDialog();
  readonly clock = new FakeClock();
  readonly configured = new Map<string, boolean>();
  readonly told: string[] = [];
  readonly released: string[] = [];
  steady = true;
  nowMs = 0;
  answer: TrunkLeases | Error = { seenMsAgo: 0, share: 10, kept: [], taken: [] };
  readonly ownership: TrunkOwnership;
  #wake: () => void = () => undefined;

  constructor() {
    const logger = createLogger({ name: 'test', level: 'silent' });
    const boot = { nodeId: 'n1', bootId: 'b1' };
    this.ownership = new TrunkOwnership({
      boot,
      store: {
        take: () => (this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer)),
        release: (_, trunkIds) => {
          this.released.push(...trunkIds);
          return Promise.resolve();
        },
      },
      snapshot: {
        outboundTrunk: (id) => (this.configured.get(id) === true ? { ...TRUNK, id, register: true } : undefined),
      },
      refreshConfig: () => Promise.resolve(),
      isSteady: () => this.steady,
      monitors: (delegate) =>
        new TrunkMonitors({
          endpoint: { outOfDialog: this.carrier, lines: new RegisteredLines() },
          clock: this.clock,
          random: () => 0,
          delegate,
          observer: { pinged: () => undefined, registered: () => undefined },
        }),
      reports: new TrunkReports({
        boot,
        store: { report: (_, all) => Promise.resolve(all.map((r) => r.trunkId)) },
        logger,
      }),
      signaller: {
        tell: (trunkId, { state }) => this.told.push(`${trunkId} ${state}`),
        forget: () => undefined,
        close: () => undefined,
      },
      logger,
      nowMs: () => this.nowMs,
      sleep: (_ms, _value, { signal }) =>
        new Promise((resolve, reject) => {
          const stop = (): void => reject(new Error('stopped'));
          this.#wake = () => {
            signal?.removeEventListener('abort', stop);
            resolve();
          };
          signal?.addEventListener('abort', stop, { once: true });
        }),
    });
  }

  async start(answer: Partial<TrunkLeases>): Promise<void> {
    this.answer = { seenMsAgo: 0, share: 10, kept: [], taken: [], ...answer };
    this.ownership.start();
    await this.settle();
  }

  /** Asks PostgreSQL again. */
  async turn(answer: Partial<TrunkLeases> | Error): Promise<void> {
    this.answer = answer instanceof Error ? answer : { seenMsAgo: 0, share: 10, kept: [], taken: [], ...answer };
    this.#wake();
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let n = 0; n < 5; n++) {
      await this.clock.advance(0);
      await nextTurn();
    }
  }

  trunk(id: string, health = UNKNOWN, told = true): TakenTrunk {
    this.configured.set(id, true);
    return { trunkId: id, health, told };
  }

  /** `expires` of the last REGISTER. */
  get lastExpires(): number {
    return expiresOf(this.carrier.of('REGISTER').at(-1)!);
  }
}

describe('the trunks of a node', () => {
  let node: Node;
  beforeEach(() => {
    node = new Node();
  });
  afterEach(() => node.ownership.stop());

  it('are pinged and registered with once they are its', async () => {
    await node.start({ taken: [node.trunk('a')] });
    expect(node.carrier.sent.map(({ method }) => method).toSorted()).toEqual(['OPTIONS', 'REGISTER']);
    expect(node.told).toEqual(['a healthy']);
    expect(node.ownership.mayAct('a')).toBe(true);
    expect(node.ownership.mayAct('b')).toBe(false);
  });

  it('that come with a change which nobody was told are told of', async () => {
    const down = { ...HEALTHY, state: 'down' } as const;
    node.carrier.answer = () => 'later';
    await node.start({
      taken: [node.trunk('a', down, false), node.trunk('b', down, true), node.trunk('c', UNKNOWN, false)],
    });
    expect(node.told).toEqual(['a down']);
    node.carrier.release();
  });

  it('are left in silence when they are another node’s', async () => {
    await node.start({ taken: [node.trunk('a')] });
    const sent = node.carrier.sent.length;
    await node.turn({ kept: [] });
    await node.clock.advance(3_600_000);
    expect([node.carrier.sent.length, node.ownership.mayAct('a'), node.clock.armed]).toEqual([sent, false, 0]);
  });

  it('are nobody’s to act for when the lease may have run out, until PostgreSQL has answered', async () => {
    await node.start({ seenMsAgo: 500, taken: [node.trunk('a')] });
    node.nowMs = 14_000;
    expect(node.ownership.mayAct('a')).toBe(true);
    // It stood still: others may have taken it.
    node.nowMs = 14_600;
    expect(node.ownership.mayAct('a')).toBe(false);
    await node.turn({ kept: ['a'] });
    expect(node.ownership.mayAct('a')).toBe(true);
  });

  it('stay its while PostgreSQL is away, for as long as that is known', async () => {
    await node.start({ taken: [node.trunk('a')] });
    for (let minute = 1; minute <= 30; minute++) {
      node.nowMs = minute * 10_000;
      await node.turn(away);
      expect(node.ownership.mayAct('a')).toBe(true);
    }
    // It stood still while PostgreSQL was away, and knows nothing any more.
    node.nowMs += 20_000;
    expect(node.ownership.mayAct('a')).toBe(false);
    await node.turn({ kept: [] });
    expect(node.ownership.mayAct('a')).toBe(false);
  });

  it('are not acted for by a node that may have been given up', async () => {
    await node.start({ taken: [node.trunk('a')] });
    node.steady = false;
    expect(node.ownership.mayAct('a')).toBe(false);
  });

  it('are handed over one after the other when it has more than its share: first the registration, then the trunk', async () => {
    const taken = ['a', 'b', 'c'].map((id) => node.trunk(id));
    await node.start({ taken });
    await node.turn({ kept: ['a', 'b', 'c'], share: 2 });
    expect(node.released).toEqual(['c']);
    expect(node.lastExpires).toBe(0);
    expect(['a', 'b', 'c'].map((id) => node.ownership.mayAct(id))).toEqual([true, true, false]);
    await node.turn({ kept: ['a', 'b'], share: 2 });
    expect(node.released).toEqual(['c']);
  });

  it('are taken leave of when they are deleted', async () => {
    await node.start({ taken: [node.trunk('a')] });
    node.configured.set('a', false);
    node.ownership.sync();
    await node.settle();
    expect(node.lastExpires).toBe(0);
    const sent = node.carrier.sent.length;
    await node.turn({ kept: [] });
    await node.clock.advance(3_600_000);
    expect(node.carrier.sent).toHaveLength(sent);
  });

  it('are begun with when their configuration has come', async () => {
    const taken = node.trunk('a');
    node.configured.set('a', false);
    await node.start({ taken: [taken] });
    expect(node.carrier.sent).toEqual([]);
    node.configured.set('a', true);
    node.ownership.sync();
    await node.settle();
    expect(node.carrier.sent).toHaveLength(2);
  });

  it('are left to the others at the end, and the carrier is told', async () => {
    await node.start({ taken: [node.trunk('a'), node.trunk('b')] });
    await node.ownership.stop();
    expect(node.carrier.of('REGISTER').map(expiresOf)).toEqual([600, 600, 0, 0]);
    expect(node.released).toEqual(['a', 'b']);
    node.ownership.sync();
    await node.settle();
    expect(node.carrier.of('REGISTER')).toHaveLength(4);
  });

  it('keep their registration when a node ends that may have lost them', async () => {
    await node.start({ taken: [node.trunk('a')] });
    node.steady = false;
    await node.ownership.stop();
    expect(node.carrier.of('REGISTER').map(expiresOf)).toEqual([600]);
  });
});
