import { status } from '@grpc/grpc-js';

import { temporalTrouble } from '../../../../api/calls/temporal-error';

const grpc = (code: number, details = ''): Error => Object.assign(new Error(`${code} ${details}`), { code, details });

describe('temporalTrouble', () => {
  it.each([
    [
      'a refused connection',
      grpc(status.UNAVAILABLE, 'No connection established. Last error: ECONNREFUSED'),
      'refused',
    ],
    ['a name that does not resolve', grpc(status.UNAVAILABLE, 'Name resolution failed for target'), 'refused'],
    ['a connection lost on the way', grpc(status.UNAVAILABLE, 'Connection dropped'), 'lost'],
    ['a deadline', grpc(status.DEADLINE_EXCEEDED), 'lost'],
    ['a cancelled request', grpc(status.CANCELLED), 'lost'],
    ['an overloaded server', grpc(status.RESOURCE_EXHAUSTED), 'refused'],
    ['a wrong key', grpc(status.UNAUTHENTICATED), 'refused'],
    ['an unknown workflow', grpc(status.NOT_FOUND), 'not_found'],
    ['an invalid argument', grpc(status.INVALID_ARGUMENT, 'BadScheduleActivityAttributes'), 'refused'],
    ['a failed precondition', grpc(status.FAILED_PRECONDITION), 'refused'],
    ['a workflow about to close', grpc(status.RESOURCE_EXHAUSTED, 'workflow is closing'), 'closing'],
    ['an error inside another', new Error('update failed', { cause: grpc(status.DEADLINE_EXCEEDED) }), 'lost'],
    ['anything else', new TypeError('x'), 'other'],
  ])('reads %s', (_, error, expected) => {
    expect(temporalTrouble(error)).toBe(expected);
  });
});
