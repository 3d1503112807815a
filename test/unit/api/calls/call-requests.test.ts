import type { Client } from '@temporalio/client';
import { CallRequests } from '../../../../api/calls/call-requests';
import { createLogger } from '../../../../ops/logger';
import type { OutboundCallInput } from '../../../../workflows/call/input';
import { grpcStatus } from '../../../../workflows/client/grpc-status';

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
  const clientOf = (executeUpdateWithStart: () => Promise<unknown>): Client =>
    ({ workflow: { executeUpdateWithStart }, connection }) as unknown as Client;

  it('for which no place comes free is not begun', async () => {
    jest.useFakeTimers();
    let begun = 0;
    const client = clientOf(() => new Promise(() => begun++));
    const calls = new CallRequests({ client, logger, maxStarts: 1, startMs: 60_000 });
    void calls.accept(input, null);
    const next = calls.accept(input, null);
    await jest.advanceTimersByTimeAsync(1_000);
    expect([await next, begun]).toEqual(['busy', 1]);
    jest.useRealTimers();
  });

  it('that fails gives its place back', async () => {
    const client = clientOf(() => Promise.reject(grpc(grpcStatus.PERMISSION_DENIED, 'no')));
    const calls = new CallRequests({ client, logger, maxStarts: 1, startMs: 60_000 });
    expect(await calls.accept(input, null)).toBe('unavailable');
    expect(await calls.accept(input, null)).toBe('unavailable');
  });

  it('whose dial is slow keeps its place for a moment only', async () => {
    const answers: ((answer: { accepted: boolean }) => void)[] = [];
    const executeUpdateWithStart = (): Promise<unknown> => new Promise((resolve) => answers.push(resolve));
    const client = clientOf(executeUpdateWithStart);
    const calls = new CallRequests({ client, logger, maxStarts: 1, startMs: 1 });
    const slow = calls.accept(input, null);
    const next = calls.accept(input, null);
    while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));
    answers[1]?.({ accepted: true });
    expect(await next).toBe('accepted');
    answers[0]?.({ accepted: false });
    expect(await slow).toBe('expired');
  });
});
