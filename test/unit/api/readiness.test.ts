import { readinessProbes, SharedReadiness } from '../../../api/readiness';
import type { ReadinessSources } from '../../../api/readiness';

const there = { name: 'postgresql', check: () => Promise.resolve() };

describe('SharedReadiness', () => {
  afterEach(() => jest.useRealTimers());

  it('is given when everything is there', async () => {
    expect(await new SharedReadiness([there]).report()).toEqual({
      status: 'ready',
      checks: { api: 'ok', postgresql: 'ok' },
      missing: [],
    });
  });

  it('names what is missing', async () => {
    const gone = { name: 'temporal', check: () => Promise.reject(new Error('refused')) };
    expect(await new SharedReadiness([there, gone]).report()).toEqual({
      status: 'not_ready',
      checks: { api: 'ok', postgresql: 'ok', temporal: 'missing' },
      missing: ['temporal'],
    });
  });

  it('is looked for once for all who ask meanwhile, and anew for those who ask later', async () => {
    let checks = 0;
    const counted = {
      name: 'postgresql',
      check: async () => {
        checks += 1;
      },
    };
    const shared = new SharedReadiness([counted]);
    const [first, second] = await Promise.all([shared.report(), shared.report()]);
    expect([first, checks]).toEqual([second, 1]);
    await shared.report();
    expect(checks).toBe(2);
  });

  it('does not wait for what says nothing', async () => {
    jest.useFakeTimers();
    const silent = { name: 'media_node', check: () => new Promise<void>(() => undefined) };
    const report = new SharedReadiness([silent]).report();
    await jest.advanceTimersByTimeAsync(1500);
    expect((await report).missing).toEqual(['media_node']);
  });
});

describe('what a call needs', () => {
  const node = (...refusesWrites: string[]) => ({ info: { refuses_writes: refusesWrites } });
  const sources: ReadinessSources = {
    store: () => Promise.resolve(),
    temporal: () => Promise.resolve(true),
    nodes: () => Promise.resolve([node()]),
  };

  it.each([
    ['all of it', {}, []],
    ['a node of an earlier release', { nodes: () => Promise.resolve([{ info: {} }]) }, []],
    ['no PostgreSQL', { store: () => Promise.reject(new Error('no space left')) }, ['postgresql']],
    ['no Temporal', { temporal: () => Promise.resolve(false) }, ['temporal']],
    ['no node', { nodes: () => Promise.resolve([]) }, ['media_node']],
    ['no nodes to be read', { nodes: () => Promise.reject(new Error('away')) }, ['media_node']],
    [
      'a Temporal that a node cannot write to',
      { nodes: () => Promise.resolve([node('temporal')]) },
      ['temporal', 'media_node'],
    ],
    ['a node that cannot keep events', { nodes: () => Promise.resolve([node('spool')]) }, ['media_node']],
    ['one node of two', { nodes: () => Promise.resolve([node('spool'), node()]) }, []],
  ] satisfies [string, Partial<ReadinessSources>, string[]][])('with %s', async (_, changes, missing) => {
    const report = await new SharedReadiness(readinessProbes({ ...sources, ...changes })).report();
    expect(report.missing).toEqual(missing);
  });
});
