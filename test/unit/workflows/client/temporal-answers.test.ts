import type { Client } from '@temporalio/client';
import { grpcStatus } from '../../../../workflows/client/grpc-status';
import { temporalAnswers } from '../../../../workflows/client/temporal-answers';

function clientAnswering(answer: () => Promise<unknown>): Client {
  const client = {
    options: { namespace: 'default' },
    connection: { withDeadline: (_: number, request: () => Promise<unknown>) => request() },
    workflowService: { describeNamespace: answer },
  };
  return client as unknown as Client;
}

const failing = (code: number) => clientAnswering(() => Promise.reject(Object.assign(new Error(''), { code })));

test('a server that describes its namespace answers, and so does one that has none of that name yet', async () => {
  expect(
    await temporalAnswers(
      clientAnswering(() => Promise.resolve({})),
      1_000,
    ),
  ).toBe(true);
  expect(await temporalAnswers(failing(grpcStatus.NOT_FOUND), 1_000)).toBe(true);
});

test('one that is away or too slow does not', async () => {
  expect(await temporalAnswers(failing(grpcStatus.UNAVAILABLE), 1_000)).toBe(false);
  expect(await temporalAnswers(failing(grpcStatus.DEADLINE_EXCEEDED), 1_000)).toBe(false);
});
