import type { Discrepancy } from '../../../../workflows/reconciler/activities';
import { confirmed } from '../../../../workflows/reconciler/confirmed';

const found = (changes: Partial<Discrepancy> = {}): Discrepancy => ({
  cause: 'open_without_workflow',
  callId: 'c1',
  nodeId: 'n1',
  bootId: 'b1',
  answered: false,
  ...changes,
});

test('only what both passes show for the same cause at the same place is confirmed', () => {
  const first = [found(), found({ callId: 'c2' }), found({ callId: 'c3' })];
  const second = [
    found({ answered: true }),
    found({ callId: 'c2', cause: 'node_gone' }),
    found({ callId: 'c3', bootId: 'b2' }),
    found({ callId: 'c4' }),
  ];
  expect(confirmed(first, second)).toEqual([found({ answered: true })]);
});
