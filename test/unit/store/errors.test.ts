import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable, isDataError, violatedUnique } from '../../../store/errors';

const failed = (fields: object, message = 'failed'): QueryFailedError =>
  new QueryFailedError('SELECT 1', [], Object.assign(new Error(message), fields));

describe('isDatabaseUnavailable', () => {
  it.each([
    ['an administrator stopping the server', failed({ code: '57P01' })],
    ['a server that is starting', failed({ code: '57P03' })],
    ['a server that does not know us', failed({ code: '28P01' })],
    ['a server without our database', failed({ code: '3D000' })],
    ['a statement timeout', failed({ code: '57014' })],
    ['too many connections', failed({ code: '53300' })],
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['a connection cut in a query', new Error('Connection terminated unexpectedly')],
    ['a pool that got no connection', new Error('timeout exceeded when trying to connect')],
    ['a silent server', failed({}, 'Query read timeout')],
    ['several refused addresses', new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })])],
  ])('is true for %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each([
    ['a unique violation', failed({ code: '23505', constraint: 'x' })],
    ['a broken statement', failed({ code: '42601' })],
    ['a defect', new TypeError('x is not a function')],
    ['nothing at all', undefined],
  ])('is false for %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});

describe('causes', () => {
  it('name the violated index and tell bad values from other failures', () => {
    expect(violatedUnique(failed({ code: '23505', constraint: 'inbound_trunks_org' }))).toBe('inbound_trunks_org');
    expect(violatedUnique(failed({ code: '23503', constraint: 'x' }))).toBeUndefined();
    expect(isDataError(failed({ code: '22P02' }))).toBe(true);
    expect(isDataError(failed({ code: '23502' }))).toBe(true);
    expect(isDataError(failed({ code: '57014' }))).toBe(false);
    expect(isDataError(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBe(false);
  });
});
