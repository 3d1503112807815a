import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { TrunkRequests } from '../../../api/trunk-requests';
import { createLogger } from '../../../ops/logger';
import { grpcStatus } from '../../../workflows/client/grpc-status';
import type { TrunkChange } from '../../../workflows/client/trunk-workflows';

const logger = createLogger({ name: 'test', level: 'silent' });
const connection = { withDeadline: (_: number, call: () => Promise<unknown>) => call() };
const grpc = (code: number, details: string): Error => Object.assign(new Error(details), { code, details });
const closing = grpc(grpcStatus.RESOURCE_EXHAUSTED, 'workflow is closing');
const late = grpc(grpcStatus.DEADLINE_EXCEEDED, 'too late');
const refused = grpc(grpcStatus.UNAVAILABLE, 'connect ECONNREFUSED');
const done = { outcome: 'synced', trunkId: 't', added: 1, removed: 0 } as const;

/** The server's answers to the update, in order; then it succeeds. */
async function synced(answers: readonly Error[], syncMs = 5_000): Promise<{ outcome: string; ids: Set<string> }> {
  const left = [...answers];
  const ids = new Set<string>();
  const executeUpdateWithStart = (_: unknown, { updateId }: { updateId: string }): Promise<unknown> => {
    ids.add(updateId);
    const error = left.shift();
    return error === undefined ? Promise.resolve(done) : Promise.reject(error);
  };
  const client = { workflow: { executeUpdateWithStart }, connection } as unknown as Client;
  const requests = new TrunkRequests({ client, logger, syncMs });
  const request = { syncId: 's', keyId: 'k', requestId: 'r' };
  const { outcome } = await requests.sync({ orgId: 'o', trunkId: 't' }, request);
  return { outcome, ids };
}

describe('a sync of numbers', () => {
  it('that meets a run about to close comes again until the next one takes it', async () => {
    expect(await synced([closing, grpc(grpcStatus.NOT_FOUND, 'workflow execution already completed')])).toEqual({
      outcome: 'synced',
      ids: new Set(['s']),
    });
  });

  it('is given up at its deadline, with nothing done', async () => {
    expect((await synced(Array<Error>(100).fill(closing), 120)).outcome).toBe('unavailable');
  });

  it('that is not answered is tried once more, under the same id', async () => {
    expect(await synced([late])).toEqual({ outcome: 'synced', ids: new Set(['s']) });
    expect((await synced([late, late])).outcome).toBe('unknown');
    // The first one may have arrived.
    expect((await synced([late, refused])).outcome).toBe('unknown');
  });

  it('that is refused, or has failed, is told as that', async () => {
    expect((await synced([refused])).outcome).toBe('unavailable');
    const failed = new WorkflowUpdateFailedError('failed', undefined);
    expect((await synced([failed, failed])).outcome).toBe('unknown');
  });
});

describe('a change of a trunk', () => {
  const change: TrunkChange = { orgId: 'o', trunkId: 't', direction: 'inbound', version: 7, removed: false };

  it('is told to its workflow, which begins where none runs', async () => {
    const sent: unknown[] = [];
    const signalWithStart = (type: string, options: object): Promise<void> => {
      sent.push({ type, ...options });
      return Promise.resolve();
    };
    const client = { workflow: { signalWithStart }, connection } as unknown as Client;
    new TrunkRequests({ client, logger }).tell([change, { ...change, removed: true }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toMatchObject([
      {
        type: 'trunkProvisioningWorkflow',
        workflowId: 'trunk:t',
        signal: { name: 'configChanged' },
        signalArgs: [{ version: 7 }],
        args: [{ orgId: 'o', trunkId: 't', direction: 'inbound' }],
      },
      { workflowId: 'trunk:t', signal: { name: 'removed' }, signalArgs: [{ version: 7 }] },
    ]);
  });

  it('that cannot be told concerns nobody who asked for it, and only some are told at once', async () => {
    jest.useFakeTimers();
    try {
      let telling = 0;
      const signalWithStart = (): Promise<never> => {
        telling++;
        return new Promise((_, reject) => setTimeout(() => reject(refused), 10_000));
      };
      const client = { workflow: { signalWithStart }, connection } as unknown as Client;
      new TrunkRequests({ client, logger }).tell(Array<TrunkChange>(100).fill(change));
      await jest.advanceTimersByTimeAsync(20_000);
      expect(telling).toBe(16);
    } finally {
      jest.useRealTimers();
    }
  });
});
