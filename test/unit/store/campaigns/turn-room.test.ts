import fc from 'fast-check';
import { TurnRoom } from '../../../../store/campaigns/turn-room';
import type { TurnLimits, TurnTrunk } from '../../../../store/campaigns/turn-room';

const trunkOf = (id: string, fields: Partial<TurnTrunk> = {}): TurnTrunk => ({
  id,
  maxCallsPerSecond: null,
  maxConcurrentCalls: null,
  leases: 0,
  undialled: 0,
  admitted: 0,
  coolMs: 0,
  ...fields,
});
const LIMITS: TurnLimits = {
  maxConcurrentCalls: null,
  callsPerSecond: null,
  pace: 1,
  calling: 0,
  organisationFree: null,
};

/** The trunks of the calls that there is room for. */
function taken(trunks: readonly TurnTrunk[], limits: Partial<TurnLimits> = {}): string[] {
  const room = new TurnRoom(trunks, { ...LIMITS, ...limits });
  const ids: string[] = [];
  for (let next = room.take(trunks); next !== null; next = room.take(trunks)) ids.push(next.id);
  expect(room.left).toBe(0);
  return ids;
}

describe('room in a turn', () => {
  test.each<readonly [string, Partial<TurnTrunk>, Partial<TurnLimits>, number]>([
    ['a second of the rate and a quarter', { maxCallsPerSecond: 8 }, {}, 10],
    ['less those that wait already, or have a turn', { maxCallsPerSecond: 8, undialled: 4, admitted: 3 }, {}, 3],
    ['never less than one, however slow the trunk', { maxCallsPerSecond: 0.1 }, {}, 1],
    ['a campaign that was slowed takes its share', { maxCallsPerSecond: 16 }, { pace: 0.5 }, 10],
    ['one more than there are free slots', { maxCallsPerSecond: 100, maxConcurrentCalls: 10, leases: 8 }, {}, 3],
    ['one where all slots are taken', { maxConcurrentCalls: 10, leases: 10 }, {}, 1],
    ['whoever has a turn has its slot already', { maxConcurrentCalls: 10, leases: 8, admitted: 2 }, {}, 3],
    ['none behind that one', { maxConcurrentCalls: 10, leases: 10, undialled: 1 }, {}, 0],
    ['none where there are more slots taken than there are', { maxConcurrentCalls: 2, leases: 9, undialled: 1 }, {}, 0],
    ['as many calls at once as the campaign may have', {}, { maxConcurrentCalls: 5, calling: 3 }, 2],
    ['none when it has more by now', {}, { maxConcurrentCalls: 5, calling: 9 }, 0],
    ['a second of its own rate and a quarter', { undialled: 1, admitted: 1 }, { callsPerSecond: 4 }, 3],
    ['one more than the organisation has free', {}, { organisationFree: 2 }, 3],
    ['none while the carrier wants to be left in peace', { coolMs: 1 }, {}, 0],
  ])('%s', (_, trunk, limits, calls) => {
    expect(taken([trunkOf('t', trunk)], limits)).toHaveLength(calls);
  });

  test('a trunk that may not call the number is passed over', () => {
    const [one, two] = [trunkOf('one', { maxCallsPerSecond: 2 }), trunkOf('two', { maxCallsPerSecond: 2 })];
    const room = new TurnRoom([one, two], LIMITS);
    expect([room.take([two])?.id, room.take([two])?.id, room.take([two])]).toEqual(['two', 'two', null]);
    expect(room.left).toBe(2);
    expect(room.take([one, two])?.id).toBe('one');
  });

  test('property: trunks are used by their rates', () => {
    const rates = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 100 }), (perSecond, calls) => {
        const trunks = perSecond.map((rate, n) => trunkOf(`t${n}`, { maxCallsPerSecond: rate }));
        const used = taken(trunks).slice(0, calls);
        for (const [n, a] of perSecond.entries()) {
          for (const [m, b] of perSecond.entries()) {
            const count = (at: number): number => used.filter((id) => id === `t${at}`).length;
            // None is a whole call further than another one, for its rate.
            expect((count(n) - 1) / a).toBeLessThanOrEqual((count(m) + 1) / b);
          }
        }
      }),
    );
  });
});
