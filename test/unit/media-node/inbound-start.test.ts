import { startInbound } from '../../../media-node/inbound-start';
import type { InboundCallInput } from '../../../workflows/call/input';
import type { CallWorkflowDescription } from '../../../workflows/client/call-workflows';

const input = { callId: 'c1', nodeId: 'n1', bootId: 'b1' } as InboundCallInput;
const own = { nodeId: 'n1', bootId: 'b1' };

/** A start that meets an existing workflow. */
async function startAgain(
  existing: CallWorkflowDescription | null,
): Promise<{ outcome: string; deadlines: unknown[] }> {
  const deadlines: unknown[] = [];
  const outcome = await startInbound(
    {
      start: (_, deadlineMs) => {
        deadlines.push(deadlineMs);
        return Promise.resolve('exists');
      },
      describe: (_, deadlineMs) => {
        deadlines.push(deadlineMs);
        return Promise.resolve(existing);
      },
    },
    input,
  );
  return { outcome, deadlines };
}

test.each([
  ['of this boot and running', { running: true, memo: own }, 'started'],
  ['of this boot and over', { running: false, memo: own }, 'foreign'],
  ['of another boot', { running: true, memo: { ...own, bootId: 'b2' } }, 'foreign'],
  ['of another node', { running: true, memo: { ...own, nodeId: 'n2' } }, 'foreign'],
  ['gone meanwhile', null, 'unavailable'],
])('an existing workflow that is %s', async (_, existing, expected) => {
  expect((await startAgain(existing)).outcome).toBe(expected);
});

test('start and look share one deadline: the peer waits for both', async () => {
  const { deadlines } = await startAgain({ running: true, memo: own });
  expect(deadlines).toHaveLength(2);
  expect(deadlines[0]).toBe(deadlines[1]);
});

test('what cannot be looked at is unavailable', async () => {
  const workflows = {
    start: () => Promise.resolve('exists' as const),
    describe: () => Promise.reject(new Error('away')),
  };
  expect(await startInbound(workflows, input)).toBe('unavailable');
});
