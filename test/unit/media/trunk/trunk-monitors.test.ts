import type { OutboundTrunkProfile } from '../../../../contract/directory';
import type { TrunkHealth } from '../../../../contract/trunk-health';
import { NameError } from '../../../../media/sip/edge/name-error';
import { RegisteredLines } from '../../../../media/sip/registration/registered-lines';
import { TrunkMonitors } from '../../../../media/trunk/trunk-monitors';
import { FakeClock, settle } from '../../../fakes/fake-clock';
import { TRUNK } from '../../../fakes/fake-directory';
import { expiresOf, FakeOutOfDialog, TARGET } from '../../../fakes/media/sip/fake-out-of-dialog';

class Bench {
  readonly carrier = new FakeOutOfDialog();
  readonly clock = new FakeClock();
  readonly told: { readonly trunkId: string; readonly state: string; readonly codes: readonly string[] }[] = [];
  readonly health = new Map<string, TrunkHealth>();
  readonly counted: string[] = [];
  mayAct = true;
  readonly monitors: TrunkMonitors;

  constructor(random = (): number => 0) {
    this.monitors = new TrunkMonitors({
      endpoint: { outOfDialog: this.carrier, lines: new RegisteredLines() },
      clock: this.clock,
      random,
      delegate: {
        mayAct: () => this.mayAct,
        onHealth: (trunkId, health, changed) => {
          this.health.set(trunkId, health);
          const { state, reasons } = health;
          if (changed) this.told.push({ trunkId, state, codes: reasons.map(({ code }) => code) });
        },
      },
      observer: {
        pinged: (verdict) => this.counted.push(verdict),
        registered: (state) => this.counted.push(state),
      },
    });
  }

  async watch(changes: Partial<OutboundTrunkProfile> = {}, before: TrunkHealth | null = null): Promise<void> {
    this.monitors.watch({ ...TRUNK, ...changes }, before);
    await this.pass(0);
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let n = 0; n < 5; n++) await settle();
  }

  get states(): string[] {
    return this.told.map(({ state }) => state);
  }
}

describe('the watch over a trunk', () => {
  it('asks about every 30 s and tells only of changes', async () => {
    const bench = new Bench();
    await bench.watch();
    expect(bench.carrier.sent[0]?.request).toMatchObject({
      method: 'OPTIONS',
      requestUri: 'sip:carrier.example:5060',
      toUri: 'sip:carrier.example:5060',
    });
    await bench.pass(270_000);
    expect(bench.carrier.of('OPTIONS')).toHaveLength(11);
    expect(bench.told).toEqual([{ trunkId: TRUNK.id, state: 'healthy', codes: [] }]);
    expect(bench.health.get(TRUNK.id)).toMatchObject({ rttMs: 20, checkedAtMs: bench.clock.epochMs() });
    expect(bench.counted).toEqual(Array(11).fill('good'));
  });

  it('looks closer while something is wrong: down in seconds, back in seconds', async () => {
    const bench = new Bench();
    await bench.watch();
    bench.carrier.answer = () => 'refused';
    await bench.pass(27_000 + 4_500 + 4_500);
    expect(bench.states).toEqual(['healthy', 'degraded', 'down']);
    expect(bench.told.at(-1)?.codes).toEqual(['connection_refused']);
    bench.carrier.answer = () => 200;
    await bench.pass(13_500);
    expect(bench.states.at(-1)).toBe('down');
    await bench.pass(4_500);
    expect(bench.states).toEqual(['healthy', 'degraded', 'down', 'healthy']);
  });

  it('stays away as long as a Retry-After asks for, and no longer than five minutes', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => ({ status: 503, headers: ['Retry-After: 3600'] });
    await bench.watch();
    await bench.pass(299_000);
    expect(bench.carrier.sent).toHaveLength(1);
    await bench.pass(2_000);
    expect(bench.carrier.sent).toHaveLength(2);
    expect(bench.told).toEqual([{ trunkId: TRUNK.id, state: 'degraded', codes: ['unavailable'] }]);
  });

  it('asks every address that a call may go to', async () => {
    const bench = new Bench();
    bench.carrier.targets = [TARGET, { ...TARGET, address: '192.0.2.2' }];
    bench.carrier.answer = ({ target }) => (target.address === '192.0.2.2' ? 'silent' : 200);
    await bench.watch();
    expect(bench.told).toEqual([{ trunkId: TRUNK.id, state: 'degraded', codes: ['no_answer'] }]);
    expect(bench.health.get(TRUNK.id)?.reasons[0]?.message).toBe('192.0.2.2:5060/udp: no answer to OPTIONS');
  });

  it('says what is wrong with the name', async () => {
    const bench = new Bench();
    bench.carrier.failure = new NameError('carrier.example', 'no_answer');
    await bench.watch();
    expect(bench.told).toEqual([{ trunkId: TRUNK.id, state: 'degraded', codes: ['name_server_silent'] }]);
  });

  it('sends nothing and believes nothing while the trunk may be another node’s', async () => {
    const bench = new Bench();
    bench.carrier.answer = () => 'later';
    await bench.watch();
    bench.mayAct = false;
    bench.carrier.release();
    await bench.pass(120_000);
    expect([bench.carrier.sent.length, bench.told]).toEqual([1, []]);
    bench.mayAct = true;
    bench.carrier.answer = () => 200;
    await bench.pass(1_000);
    expect([bench.carrier.sent.length, bench.states]).toEqual([2, ['healthy']]);
  });

  it('goes on from what the last owner knew, without a change of its own', async () => {
    const bench = new Bench();
    const reasons = [{ code: 'no_answer', message: 'x' }] as const;
    const before = { state: 'down', reasons, sinceMs: 7, checkedAtMs: 8, rttMs: null, registration: null } as const;
    bench.carrier.answer = () => 'silent';
    await bench.watch({}, before);
    expect(bench.told).toEqual([]);
    expect(bench.health.get(TRUNK.id)).toMatchObject({ state: 'down', sinceMs: 7 });
  });

  it('registers where that is asked for, and anew when the carrier is back', async () => {
    const bench = new Bench();
    await bench.watch({ register: true });
    expect(bench.carrier.of('REGISTER')).toHaveLength(1);
    expect(bench.health.get(TRUNK.id)?.registration?.state).toBe('registered');
    bench.carrier.answer = () => 'silent';
    await bench.pass(40_000);
    expect(bench.states.at(-1)).toBe('down');
    bench.carrier.answer = () => 200;
    await bench.pass(40_000);
    expect(bench.states.at(-1)).toBe('healthy');
    expect(bench.carrier.of('REGISTER')).toHaveLength(2);
  });

  it('says that nobody looks where nobody is to look', async () => {
    const bench = new Bench();
    await bench.watch({ optionsPing: false });
    await bench.pass(60_000);
    expect(bench.carrier.sent).toEqual([]);
    expect(bench.health.get(TRUNK.id)).toMatchObject({ state: 'unknown', reasons: [{ code: 'not_watched' }] });
  });

  it('follows a change of the configuration, and only that', async () => {
    const bench = new Bench();
    await bench.watch({ register: true });
    await bench.watch({ register: true, callerNumber: '+15550009999' });
    expect(bench.carrier.sent).toHaveLength(2);
    await bench.watch({ register: true, host: 'other.example' });
    const registers = bench.carrier.of('REGISTER');
    expect(registers.map((sent) => [sent.request.toUri, expiresOf(sent)])).toEqual([
      ['sip:user@carrier.example', 600],
      ['sip:user@carrier.example', 0],
      ['sip:user@other.example', 600],
    ]);
    await bench.watch({ register: false, host: 'other.example' });
    expect(expiresOf(bench.carrier.of('REGISTER').at(-1)!)).toBe(0);
    expect(bench.health.get(TRUNK.id)?.registration).toBeNull();
  });

  it('pings the gateways, those of a changed list at once', async () => {
    const bench = new Bench();
    const gateway = { host: 'one.example', port: 5060, transport: 'udp', priority: 0, weight: 1 } as const;
    await bench.watch({ gateways: [gateway] });
    await bench.watch({ gateways: [{ ...gateway }] });
    await bench.watch({ gateways: [gateway, { ...gateway, host: 'two.example' }] });
    const asked = bench.carrier.of('OPTIONS').map(({ request }) => request.requestUri);
    expect(asked).toEqual(['sip:one.example:5060', 'sip:one.example:5060', 'sip:two.example:5060']);
  });

  it('ends with the trunk', async () => {
    const bench = new Bench();
    await bench.watch({ register: true });
    await bench.monitors.drop(TRUNK.id, { unregister: true });
    const sent = bench.carrier.sent.length;
    expect(expiresOf(bench.carrier.sent.at(-1)!)).toBe(0);
    await bench.pass(3_600_000);
    expect([bench.carrier.sent.length, bench.clock.armed]).toEqual([sent, 0]);
  });
});

describe('the watch over many trunks', () => {
  it('spreads their pings, and has no more than 64 under way', async () => {
    let seed = 1;
    const bench = new Bench(() => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647);
    bench.carrier.answer = () => 'later';
    for (let n = 0; n < 600; n++) bench.monitors.watch({ ...TRUNK, id: `trunk-${n}` }, null);
    const perSecond: number[] = [];
    let before = 0;
    let most = 0;
    for (let second = 0; second < 7; second++) {
      await bench.pass(1_000);
      most = Math.max(most, bench.carrier.sent.length - before);
      perSecond.push(bench.carrier.sent.length - before);
      // All that are under way end, so that the next ones may begin.
      while (bench.carrier.sent.length > before) {
        before = bench.carrier.sent.length;
        bench.carrier.release();
        await settle();
        await settle();
      }
    }
    expect(most).toBeLessThanOrEqual(64);
    expect(bench.carrier.sent.length).toBeGreaterThanOrEqual(600);
    expect(perSecond.every((count) => count > 0)).toBe(true);
    expect([...bench.monitors.counts().values()].reduce((sum, count) => sum + count, 0)).toBe(600);
  });
});
