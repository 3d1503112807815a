import { judge, NodeWatch } from '../../../../workflows/node/node-watch';

describe('judge', () => {
  const presence = (bootId: string, silentMs: number) => ({ nodeId: 'n', bootId, silentMs });

  test.each([
    ['the boot answers', 'b1', null, 'alive'],
    ['another boot answers', 'b2', null, 'lost'],
    ['silence, and no sign of life for 7 s', null, presence('b1', 7_000), 'lost'],
    ['silence, but a fresh sign of life', null, presence('b1', 900), 'unclear'],
    ['silence, and the row belongs to another boot', null, presence('b2', 100), 'lost'],
    ['silence, and there is no row', null, null, 'lost'],
    ['silence, and PostgreSQL is away', null, 'unknown', 'unclear'],
  ] as const)('%s', (_, ping, seen, verdict) => {
    expect(judge('b1', ping, seen)).toBe(verdict);
  });
});

describe('NodeWatch', () => {
  test('a new boot makes the one before it a lost one', () => {
    const watch = new NodeWatch({ bootId: null, lostBoots: [] });
    expect(watch.started('b1')).toBe(true);
    expect(watch.started('b1')).toBe(false);
    expect(watch.started('b2')).toBe(true);
    expect(watch.state).toEqual({ bootId: 'b2', lostBoots: ['b1'] });
  });

  test('an orderly stop loses nothing, and of an older boot it is ignored', () => {
    const watch = new NodeWatch({ bootId: 'b2', lostBoots: ['b1'] });
    expect(watch.stopped('b1')).toBe(false);
    expect(watch.stopped('b2')).toBe(true);
    expect(watch.state).toEqual({ bootId: null, lostBoots: ['b1'] });
  });

  test('a revived boot is not among the lost any more', () => {
    const watch = new NodeWatch({ bootId: 'b1', lostBoots: [] });
    watch.lost('b1');
    expect(watch.isLost('b1')).toBe(true);
    watch.started('b1');
    expect(watch.state).toEqual({ bootId: 'b1', lostBoots: [] });
  });

  test('remembers a bounded number of boots', () => {
    const watch = new NodeWatch({ bootId: null, lostBoots: [] });
    for (let i = 0; i < 100; i++) watch.started(`b${i}`);
    expect(watch.state.lostBoots).toHaveLength(20);
  });
});
