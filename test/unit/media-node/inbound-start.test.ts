import { InboundStarts } from '../../../media-node/inbound-start';
import type { InboundCallInput } from '../../../workflows/call/input';
import type { CallWorkflowDescription } from '../../../workflows/client/call-workflows';

const input = { callId: 'c1', nodeId: 'n1', bootId: 'b1' } as InboundCallInput;
const own = { nodeId: 'n1', bootId: 'b1' };

/** A start that meets an existing workflow. */
async function startAgain(
  existing: CallWorkflowDescription | null,
): Promise<{ outcome: string; deadlines: unknown[] }> {
  const deadlines: unknown[] = [];
  const starts = new InboundStarts({
    workflows: {
      start: (_, deadlineMs) => {
        deadlines.push(deadlineMs);
        return Promise.resolve('exists');
      },
      describe: (_, deadlineMs) => {
        deadlines.push(deadlineMs);
        return Promise.resolve(existing);
      },
    },
  });
  const outcome = await starts.start(input);
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
  expect(await new InboundStarts({ workflows }).start(input)).toBe('unavailable');
});

/** Starts that are answered when the test says so. */
function heldStarts(options: { readonly maxStarts: number; readonly maxWaitMs?: number }) {
  const begun: { readonly callId: string; readonly answer: (fails?: boolean) => void }[] = [];
  const starts = new InboundStarts({
    workflows: {
      start: ({ callId }) =>
        new Promise((resolve, reject) => {
          const answer = (fails = false): void => (fails ? reject(new Error('away')) : resolve('started'));
          begun.push({ callId, answer });
        }),
      describe: () => Promise.resolve(null),
    },
    ...options,
  });
  return { begun, start: (callId: string) => starts.start({ ...input, callId }) };
}

test('so many start at once, the others in the order in which they came, also after one that failed', async () => {
  const { begun, start } = heldStarts({ maxStarts: 2 });
  const outcomes = ['a', 'b', 'c', 'd'].map(start);
  await Promise.resolve();
  expect(begun.map(({ callId }) => callId)).toEqual(['a', 'b']);
  begun[1]!.answer(true);
  expect(await outcomes[1]).toBe('unavailable');
  await Promise.resolve();
  expect(begun.map(({ callId }) => callId)).toEqual(['a', 'b', 'c']);
  begun[0]!.answer();
  expect(await outcomes[0]).toBe('started');
  begun[2]!.answer();
  await outcomes[2];
  await Promise.resolve();
  begun[3]!.answer();
  expect(await outcomes[3]).toBe('started');
});

test('whoever finds no place in time is told so, and nothing was started', async () => {
  const { begun, start } = heldStarts({ maxStarts: 1, maxWaitMs: 10 });
  const first = start('a');
  expect(await start('b')).toBe('busy');
  begun[0]!.answer();
  expect(await first).toBe('started');
  expect(begun.map(({ callId }) => callId)).toEqual(['a']);
});
