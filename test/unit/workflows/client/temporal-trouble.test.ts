import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { grpcStatus } from '../../../../workflows/client/grpc-status';
import { temporalTrouble } from '../../../../workflows/client/temporal-trouble';

const grpc = (code: number, details = ''): Error => Object.assign(new Error(`${code} ${details}`), { code, details });

describe('temporalTrouble', () => {
  it.each([
    [
      'a refused connection',
      grpc(grpcStatus.UNAVAILABLE, 'No connection established. Last error: ECONNREFUSED'),
      'refused',
    ],
    ['a name that does not resolve', grpc(grpcStatus.UNAVAILABLE, 'Name resolution failed for target'), 'refused'],
    ['a connection lost on the way', grpc(grpcStatus.UNAVAILABLE, 'Connection dropped'), 'lost'],
    ['a deadline', grpc(grpcStatus.DEADLINE_EXCEEDED), 'lost'],
    ['a cancelled request', grpc(grpcStatus.CANCELLED), 'lost'],
    ['an overloaded server', grpc(grpcStatus.RESOURCE_EXHAUSTED), 'refused'],
    ['a wrong key', grpc(grpcStatus.UNAUTHENTICATED), 'refused'],
    ['an unknown workflow', grpc(grpcStatus.NOT_FOUND), 'not_found'],
    ['an invalid argument', grpc(grpcStatus.INVALID_ARGUMENT, 'BadScheduleActivityAttributes'), 'refused'],
    ['a failed precondition', grpc(grpcStatus.FAILED_PRECONDITION), 'refused'],
    ['a workflow about to close', grpc(grpcStatus.RESOURCE_EXHAUSTED, 'workflow is closing'), 'closing'],
    ['an error inside another', new Error('update failed', { cause: grpc(grpcStatus.DEADLINE_EXCEEDED) }), 'lost'],
    ['a workflow that the client says is gone', new WorkflowNotFoundError('gone', 'call:c1', undefined), 'not_found'],
    ['a namespace that is not there', new NamespaceNotFoundError('default'), 'other'],
    ['an id that is taken', new WorkflowExecutionAlreadyStartedError('', 'call:c1', 'callWorkflow'), 'already_started'],
    [
      'an update that failed, whatever its cause says',
      new WorkflowUpdateFailedError('failed', grpc(grpcStatus.UNAVAILABLE, 'Connection dropped')),
      'update_failed',
    ],
    ['anything else', new TypeError('x'), 'other'],
  ])('reads %s', (_, error, expected) => {
    expect(temporalTrouble(error)).toBe(expected);
  });
});
