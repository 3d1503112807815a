import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { InboundCallInput } from '../../../../workflows/call/input';
import { CallWorkflows } from '../../../../workflows/client/call-workflows';
import { mediaNodeAttribute } from '../../../../workflows/ids';

const input: InboundCallInput = {
  direction: 'inbound',
  callId: 'c1',
  orgId: 'org',
  agentId: 'agent',
  trunkId: 'trunk',
  sessionId: 'session',
  sealed: '',
  createdAtMs: 0,
  maxDurationSeconds: 60,
  nodeId: 'n1',
  bootId: 'b1',
  sipCallId: 'sip',
  routingRule: 'fallback',
};
const gone = new WorkflowNotFoundError('gone', 'call:c1', undefined);
const away = new Error('away');

interface Listed {
  readonly workflowId: string;
  readonly searchAttributes: Record<string, string[]>;
}

/** A client whose every request ends in `error`, or lists `listed`. */
function setUp(options: { readonly error?: Error; readonly listed?: readonly Listed[] } = {}) {
  const { error = away, listed = [] } = options;
  const deadlinesMs: number[] = [];
  const queries: string[] = [];
  const fail = (): Promise<never> => Promise.reject(error);
  const client = {
    connection: {
      withDeadline: (deadlineMs: number, request: () => Promise<unknown>) => {
        deadlinesMs.push(deadlineMs);
        return request();
      },
    },
    workflow: {
      start: fail,
      getHandle: () => ({ signal: fail, describe: fail, executeUpdate: fail }),
      list: ({ query }: { query: string }) => {
        queries.push(query);
        return listed;
      },
    },
  };
  const calls = new CallWorkflows({ client: client as unknown as Client, limitMs: 2_000 });
  return { calls, deadlinesMs, queries };
}

describe('what a workflow that is gone means', () => {
  const { calls } = setUp({ error: gone });

  it('a signal is not delivered', async () => {
    expect(await calls.signalNodeLost('c1', { bootId: 'b1' })).toBe('gone');
    expect(await calls.signalVerify('c1', 'b1')).toBe('gone');
  });

  it('there is nothing to describe or to hang up', async () => {
    expect(await calls.describe('c1')).toBeNull();
    const control = { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' } as const;
    expect(await calls.control('c1', { commandId: 'u', control }, 1)).toBe('gone');
  });
});

test('a start that finds its id taken says so', async () => {
  const { calls } = setUp({ error: new WorkflowExecutionAlreadyStartedError('', 'call:c1', 'callWorkflow') });
  expect(await calls.start(input)).toBe('exists');
});

test('while Temporal is away everything rejects with its error', async () => {
  const { calls } = setUp();
  await expect(calls.start(input)).rejects.toBe(away);
  await expect(calls.signalVerify('c1', 'b1')).rejects.toBe(away);
  await expect(calls.describe('c1')).rejects.toBe(away);
});

test('a request has its own deadline, or the limit of all', async () => {
  jest.useFakeTimers({ now: 50_000 });
  try {
    const { calls, deadlinesMs } = setUp({ error: gone });
    await calls.describe('c1');
    await calls.describe('c1', 50_700);
    await calls.running();
    // A list may have many pages.
    expect(deadlinesMs).toEqual([52_000, 50_700, 110_000]);
  } finally {
    jest.useRealTimers();
  }
});

describe('the list of running calls', () => {
  const listed = [
    { workflowId: 'call:c1', searchAttributes: { MediaNodeId: [mediaNodeAttribute('n1', 'b1')] } },
    { workflowId: 'call:c2', searchAttributes: { MediaNodeId: [mediaNodeAttribute('n1/x', 'b2')] } },
    { workflowId: 'call:c3', searchAttributes: { CallStatus: ['completed'] } },
    { workflowId: 'made by hand', searchAttributes: {} },
  ];

  it('names the boot that has each, and those whose end is decided', async () => {
    expect(await setUp({ listed }).calls.running()).toEqual([
      { callId: 'c1', node: { nodeId: 'n1', bootId: 'b1' }, ended: false },
      { callId: 'c2', node: { nodeId: 'n1/x', bootId: 'b2' }, ended: false },
      { callId: 'c3', node: null, ended: true },
    ]);
  });

  it('of one node leaves out a node whose id only begins alike', async () => {
    const { calls, queries } = setUp({ listed });
    expect((await calls.running('n1')).map(({ callId }) => callId)).toEqual(['c1']);
    await calls.running("o'n");
    expect(queries[0]).toContain("MediaNodeId STARTS_WITH 'n1/'");
    expect(queries[1]).toContain("MediaNodeId STARTS_WITH 'o''n/'");
  });
});
