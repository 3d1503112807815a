import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { CallRequests } from '../../../../api/calls/call-requests';
import { createLogger } from '../../../../ops/logger';
import type { OutboundCallInput } from '../../../../workflows/call/input';
import { grpcStatus } from '../../../../workflows/client/grpc-status';
import { sleepOnGlobalTimers } from '../../../fakes/fake-sleep';

const grpc = (code: number, details: string): Error => Object.assign(new Error(details), { code, details });
const connection = { withDeadline: (_: number, call: () => Promise<unknown>) => call() };
const closing = grpc(grpcStatus.RESOURCE_EXHAUSTED, 'workflow is closing');

const input: OutboundCallInput = {
  direction: 'outbound',
  callId: 'call',
  orgId: 'org',
  agentId: 'agent',
  trunkId: 'trunk',
  sessionId: 'session',
  sealed: '',
  createdAtMs: 0,
  acceptByMs: 0,
  dialByMs: 0,
  ringTimeoutSeconds: 30,
  maxDurationSeconds: 60,
};

/** The server's answers to the update, in order; then it succeeds. */
async function hangupAnswered(answers: readonly Error[], commandDeadlineMs = 5_000): Promise<string> {
  const left = [...answers];
  const executeUpdate = (): Promise<unknown> => {
    const error = left.shift();
    return error === undefined ? Promise.resolve({ outcome: 'done' }) : Promise.reject(error);
  };
  const client = { workflow: { getHandle: () => ({ executeUpdate }) }, connection } as unknown as Client;
  const logger = createLogger({ name: 'test', level: 'silent' });
  const calls = new CallRequests({ client, logger, commandDeadlineMs });
  const control = { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' } as const;
  return (await calls.control('call', { commandId: 'update', control })).outcome;
}

describe('a hang-up that meets a workflow about to close', () => {
  it('comes again until the workflow is gone or takes it', async () => {
    expect(await hangupAnswered([closing, grpc(grpcStatus.NOT_FOUND, 'workflow execution already completed')])).toBe(
      'gone',
    );
    expect(await hangupAnswered([closing, closing])).toBe('done');
  });

  it('is given up at its deadline, with nothing done', async () => {
    expect(await hangupAnswered(Array<Error>(100).fill(closing), 120)).toBe('unavailable');
  });

  it('any other refusal is told at once', async () => {
    expect(await hangupAnswered([grpc(grpcStatus.RESOURCE_EXHAUSTED, 'namespace rate limit exceeded')])).toBe(
      'unavailable',
    );
  });
});

describe('a start', () => {
  const logger = createLogger({ name: 'test', level: 'silent' });
  const clientOf = (start: () => Promise<unknown>): Client =>
    ({ workflow: { start }, connection }) as unknown as Client;
  const stored = (): Promise<boolean> => Promise.resolve(true);
  const setUp = (start: () => Promise<unknown>, startMs = 60_000): CallRequests =>
    new CallRequests({ client: clientOf(start), logger, maxStarts: 1, startMs, sleep: sleepOnGlobalTimers });

  it('for which no place comes free is not begun', async () => {
    jest.useFakeTimers();
    let begun = 0;
    const calls = setUp(() => new Promise(() => begun++));
    void calls.accept(input, null, stored);
    const next = calls.accept(input, null, stored);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([await next, begun]).toEqual(['busy', 1]);
    jest.useRealTimers();
  });

  it('that fails gives its place back', async () => {
    const calls = setUp(() => Promise.reject(grpc(grpcStatus.PERMISSION_DENIED, 'no')));
    expect(await calls.accept(input, null, stored)).toBe('unavailable');
    expect(await calls.accept(input, null, stored)).toBe('unavailable');
  });

  it('whose dial is slow keeps its place for a moment only', async () => {
    const calls = setUp(() => Promise.resolve(), 1);
    let isThere = false;
    const slow = calls.accept(input, null, () => Promise.resolve(isThere));
    expect(await calls.accept(input, null, stored)).toBe('accepted');
    isThere = true;
    expect(await slow).toBe('accepted');
  });

  it('is accepted when its row is there, be PostgreSQL away in between', async () => {
    const looks = [false, new Error('away'), true];
    const look = (): Promise<boolean> => {
      const seen = looks.shift() ?? false;
      return typeof seen === 'boolean' ? Promise.resolve(seen) : Promise.reject(seen);
    };
    expect(await setUp(() => Promise.resolve()).accept(input, null, look)).toBe('accepted');
    expect(looks).toEqual([]);
  });

  it('of which no row comes is begun once more, with the same ids, and then unknown', async () => {
    jest.useFakeTimers();
    const begun: string[] = [];
    const start = (_: string, { workflowId }: { workflowId: string }): Promise<void> => {
      begun.push(workflowId);
      return Promise.resolve();
    };
    const answer = setUp(start as () => Promise<void>).accept(input, null, () => Promise.resolve(false));
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await answer).toBe('unknown');
    expect(begun).toEqual(['call:call', 'call:call']);
    jest.useRealTimers();
  });

  it('of a call that is over is closed', async () => {
    const over = new WorkflowExecutionAlreadyStartedError('', 'call:call', 'callWorkflow');
    expect(await setUp(() => Promise.reject(over)).accept(input, null, stored)).toBe('closed');
  });
});
