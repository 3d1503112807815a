import fc from 'fast-check';
import type { TrunkHealthChange, TrunkIdentity } from '../../../../workflows/trunk/messages';
import { trunkDetails } from '../../../../workflows/trunk/presentation';
import { TrunkProgress } from '../../../../workflows/trunk/trunk-progress';

const confirmation = (version: number, graceUntilMs: number | null = null) => ({
  version,
  nodes: 2,
  atMs: 0,
  removed: false,
  graceUntilMs,
});
const health = (state: TrunkHealthChange['state'], at: string, reasons: TrunkHealthChange['reasons'] = []) => ({
  state,
  at,
  reasons,
  nodeId: 'node-1',
});

describe('the progress of a trunk', () => {
  it('begins with a look, and one that goes on from an earlier run does not', () => {
    const progress = new TrunkProgress();
    expect(progress.pending).toBe(true);
    progress.looking();
    progress.confirmed(confirmation(3));
    expect(progress.pending).toBe(false);
    expect(new TrunkProgress(progress.state).pending).toBe(false);
    expect(new TrunkProgress(progress.state).state).toEqual(progress.state);
  });

  it('needs no other look for a version that is confirmed, and one for any other', () => {
    const progress = new TrunkProgress({
      confirmed: { version: 3, nodes: 1, atMs: 0 },
      graceUntilMs: null,
      health: null,
    });
    progress.changed(3);
    expect(progress.pending).toBe(false);
    // A store that was set back counts from where it was.
    progress.changed(2);
    expect(progress.pending).toBe(true);
  });

  it('needs a look after an old password was erased', () => {
    const progress = new TrunkProgress({ confirmed: { version: 3, nodes: 1, atMs: 0 }, graceUntilMs: 5, health: null });
    progress.graceEnds(9);
    expect([progress.pending, progress.state.graceUntilMs]).toEqual([false, 9]);
    progress.graceEnds(null);
    expect([progress.pending, progress.state.graceUntilMs]).toEqual([true, null]);
  });

  it('keeps the last word on its health, however late an older one comes', () => {
    const progress = new TrunkProgress();
    progress.healthChanged(health('down', '2026-01-01T00:00:02.000Z'));
    progress.healthChanged(health('healthy', '2026-01-01T00:00:01.000Z'));
    expect(progress.state.health?.state).toBe('down');
    progress.healthChanged(health('healthy', '2026-01-01T00:00:03.000Z'));
    expect(progress.state.health?.state).toBe('healthy');
  });

  /** The store's version goes up; messages about it are lost, doubled and late; looks find what the store has then. */
  it('ends with the last version confirmed, in whatever order it is told of it, once it is told of it at all', () => {
    const step = fc.oneof(
      fc.constant({ do: 'change' as const }),
      fc.record({ do: fc.constant('tell' as const), back: fc.nat(3) }),
      fc.constant({ do: 'begin' as const }),
      fc.constant({ do: 'finish' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const progress = new TrunkProgress();
        let version = 1;
        let seen: number | null = null;
        const begin = (): void => {
          if (seen !== null || !progress.pending) return;
          progress.looking();
          seen = version;
        };
        const finish = (): void => {
          if (seen !== null) progress.confirmed(confirmation(seen));
          seen = null;
        };
        for (const now of steps) {
          if (now.do === 'change') version++;
          else if (now.do === 'tell') progress.changed(Math.max(1, version - now.back));
          else if (now.do === 'begin') begin();
          else finish();
        }
        // The sweep's word, and the looks that follow from it.
        progress.changed(version);
        for (let n = 0; n < 3; n++) {
          begin();
          finish();
        }
        return progress.state.confirmed?.version === version && !progress.underWay;
      }),
    );
  });
});

describe('what an operator reads of a trunk', () => {
  const inbound: TrunkIdentity = { orgId: 'org', trunkId: 't', direction: 'inbound' };
  const outbound: TrunkIdentity = { ...inbound, direction: 'outbound' };

  it('is how far its last change has come', () => {
    const progress = new TrunkProgress();
    expect(trunkDetails(inbound, progress)).toBe('**inbound trunk**: on its way to the media nodes');
    progress.looking();
    progress.confirmed(confirmation(3, 1000));
    expect(trunkDetails(inbound, progress)).toBe(
      [
        '**inbound trunk**: version 3 confirmed on 2 of 2 media nodes at 1970-01-01T00:00:00.000Z',
        '',
        '- the password before the last rotation is erased at 1970-01-01T00:00:01.000Z',
      ].join('\n'),
    );
    progress.changed(4);
    const underWay = '**inbound trunk**: a change is on its way to the media nodes; version 3 confirmed';
    expect(trunkDetails(inbound, progress)).toContain(underWay);
    progress.looking();
    expect(trunkDetails(inbound, progress)).toContain(underWay);
    expect(trunkDetails(inbound, progress, true)).toBe(
      '**inbound trunk**: removed from 2 of 2 media nodes at 1970-01-01T00:00:00.000Z',
    );
  });

  it('is how an outbound trunk fares, and why, within bounds', () => {
    const progress = new TrunkProgress({ confirmed: null, graceUntilMs: null, health: null });
    const reasons = Array.from({ length: 50 }, () => ({ code: 'no_answer' as const, message: 'x'.repeat(1000) }));
    progress.healthChanged(health('down', '2026-01-01T00:00:00.000Z', reasons));
    const text = trunkDetails(outbound, progress);
    expect(text).toContain('- health: **down** since 2026-01-01T00:00:00.000Z, as node-1 sees it\n  - no_answer: xxx');
    expect(text.length).toBeLessThan(4_000);
  });
});
