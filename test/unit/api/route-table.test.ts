import fc from 'fast-check';
import type { Context } from 'koa';

import type { ApiError } from '../../../api/errors';
import { RouteTable } from '../../../api/route-table';
import type { PathParams, TableRoute } from '../../../api/route-table';

const CTX = {} as Context;

/** Says which route was found, and with which parameters. */
class Found {
  readonly calls: [string, PathParams][] = [];

  route(method: TableRoute['method'], path: string, exact?: true): TableRoute {
    const handle = (_: Context, params: PathParams): void => void this.calls.push([`${method} ${path}`, params]);
    return { method, path, handle, ...(exact === undefined ? {} : { exact }) };
  }
}

const found = new Found();
const table = new RouteTable([
  found.route('get', '/health', true),
  found.route('get', '/phone/{id}'),
  found.route('patch', '/phone/{id}'),
  found.route('get', '/phone/calls'),
  found.route('get', '/phone/calls/{id}/events'),
  found.route('post', '/phone/{id}/numbers/{number}'),
  found.route('delete', '/phone/sip/{id}'),
  found.route('put', '/phone/{id}/numbers'),
]);

function find(method: string, path: string): [string, PathParams] | undefined {
  const { handle, params } = table.find(method, path);
  void handle(CTX, params);
  return found.calls.pop();
}

function refusal(method: string, path: string): unknown {
  try {
    return find(method, path);
  } catch (error) {
    const { status, options } = error as ApiError;
    return options.headers === undefined ? status : [status, options.headers['Allow']];
  }
}

describe('the table of routes', () => {
  it('finds a path that is spelled out before one with a parameter, whatever was declared first', () => {
    expect(find('GET', '/phone/calls')).toEqual(['get /phone/calls', {}]);
    expect(find('GET', '/phone/7')).toEqual(['get /phone/{id}', { id: '7' }]);
  });

  it('finds a path in any case and with a slash at its end, unless it has one spelling', () => {
    expect(find('GET', '/PHONE/Calls/AbC/events/')).toEqual(['get /phone/calls/{id}/events', { id: 'AbC' }]);
    expect(find('HEAD', '/health')).toEqual(['get /health', {}]);
    expect([refusal('GET', '/HEALTH'), refusal('GET', '/health/')]).toEqual([404, 404]);
  });

  it('decodes parameters, and leaves what is encoded wrongly', () => {
    expect(find('POST', '/phone/a%2Fb/numbers/+1%E0%A4')).toEqual([
      'post /phone/{id}/numbers/{number}',
      { id: 'a/b', number: '+1%E0%A4' },
    ]);
  });

  it('answers 405 with what a path takes, and with nothing of paths it could be mistaken for', () => {
    expect(refusal('PATCH', '/phone/calls')).toEqual([405, 'GET, HEAD']);
    expect(refusal('POST', '/phone/7')).toEqual([405, 'GET, HEAD, PATCH']);
    // Two paths with one parameter each.
    expect(refusal('POST', '/phone/sip/numbers')).toEqual([405, 'DELETE, PUT']);
    expect(find('PUT', '/phone/sip/numbers')).toEqual(['put /phone/{id}/numbers', { id: 'sip' }]);
  });

  it('answers 404 to every other path', () => {
    for (const path of ['/', '//', '', '/phone', '/phone//', '/phone/calls//events', '/phone/7/8/9', '*']) {
      expect([path, refusal('GET', path)]).toEqual([path, 404]);
    }
  });

  it('never fails otherwise, and gives parameters as they were sent', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (path, id) => {
        const result = refusal('GET', path);
        expect(result === 404 || (Array.isArray(result) && result.length === 2)).toBe(true);
        fc.pre(!['calls', 'CALLS'].includes(id.toUpperCase()) && id.toLowerCase() !== 'calls');
        expect(find('GET', `/phone/${encodeURIComponent(id)}`)).toEqual(['get /phone/{id}', { id }]);
      }),
    );
  });
});
