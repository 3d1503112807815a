import { LiveNodes } from '../../../api/live-nodes';
import type { LiveNode } from '../../../api/live-nodes';

function liveNodes(...answers: LiveNode[][]) {
  let nowMs = 0;
  let asked = 0;
  const nodes = new LiveNodes({
    find: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)] ?? []),
    maxAgeMs: 1000,
    nowMs: () => nowMs,
  });
  return { nodes, asked: () => asked, advance: (ms: number) => void (nowMs += ms) };
}

const node: LiveNode = { nodeId: 'a', sipAddress: '192.0.2.1', info: {} };

describe('LiveNodes', () => {
  it('asks again when its answer is old', async () => {
    const { nodes, asked, advance } = liveNodes([node]);
    const first = await nodes.current();
    expect(await nodes.current()).toBe(first);
    expect(asked()).toBe(1);
    advance(1000);
    await nodes.current();
    expect(asked()).toBe(2);
  });

  it('keeps no answer without a node', async () => {
    const { nodes, asked } = liveNodes([], [node]);
    expect(await nodes.current()).toEqual([]);
    expect(await nodes.current()).toEqual([node]);
    expect(asked()).toBe(2);
  });
});
