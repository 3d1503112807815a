import { routeRequest } from '../../../../../media/sip/message/route-set';

const target = 'sip:callee@198.51.100.7:5070;transport=tcp';

describe('the route of a request in a dialog', () => {
  it('is the remote target alone without a route set', () => {
    expect(routeRequest(target, [])).toEqual({ requestUri: target, routes: [], hop: target });
  });

  it.each([
    ['<sip:p1:5080;lr>', 'sip:p1:5080;lr'],
    ['<sip:p1;lr=on>', 'sip:p1;lr=on'],
    ['"P" <sip:p1;transport=tcp;LR>;x=y', 'sip:p1;transport=tcp;LR'],
  ])('leaves the target in the Request-URI behind the loose router %s', (first, hop) => {
    const routes = [first, '<sip:p2>'];
    expect(routeRequest(target, routes)).toEqual({ requestUri: target, routes, hop });
  });

  // RFC 3261 §12.2.1.1, §16.12.1.2.
  it.each([
    ['<sip:p1>', 'sip:p1'],
    ['<sip:p1:5080;transport=tcp>;x=y', 'sip:p1:5080;transport=tcp'],
    ['<sip:a;b?c@p1;method=BYE;user=phone;Method=x?Subject=y&lr=1>', 'sip:a;b?c@p1;user=phone'],
    ['<sip:[2001:db8::1]:5062;methods=z>', 'sip:[2001:db8::1]:5062;methods=z'],
  ])('writes the strict router %s into the Request-URI and the target last', (first, requestUri) => {
    const found = routeRequest(target, [first, '<sip:p2;lr>', '<sip:p3>']);
    expect(found).toMatchObject({ requestUri, routes: ['<sip:p2;lr>', '<sip:p3>', `<${target}>`] });
    expect(found.hop.startsWith(requestUri.slice(0, 12))).toBe(true);
    expect(routeRequest(target, [first]).routes).toEqual([`<${target}>`]);
  });

  it.each(['<tel:+1555>', '<sip:p1', 'nonsense'])('passes the route %s on as it came', (first) => {
    expect(routeRequest(target, [first])).toMatchObject({ requestUri: target, routes: [first] });
  });
});
