import fc from 'fast-check';

import { formatUriHeaders, parseUriHeaders } from '../../../../../media/sip/message/uri-headers';
import { hostileText } from '../../../../fakes/media/sip/hostile-text';

describe('the header part of a URI', () => {
  it.each([
    ['', []],
    ['Subject=Hi%20there&Priority=urgent', [['subject', 'Hi there'], ['priority', 'urgent']]], // prettier-ignore
    ['X-A=', [['x-a', '']]],
    ['X-A=a=b+c', [['x-a', 'a=b+c']]],
    ['Body=v%3D0%0D%0A&X-A=1', [['x-a', '1']]],
    ['X-A=%C3%A9', [['x-a', 'é']]],
    ['X-A=\xc3\xa9', [['x-a', 'é']]],
  ])('reads %s', (text, headers) => {
    expect(parseUriHeaders(text)).toEqual(headers);
  });

  it.each([
    ['a value that would be a line of its own', 'X-A=1%0D%0ARoute:%20evil'],
    ['a NUL', 'X-A=%00'],
    ['half an escape', 'X-A=%4'],
    ['what is no UTF-8', 'X-A=%ff'],
    ['no value', 'X-A'],
    ['no name', '=1'],
    ['a name that is none', 'X%20A=1'],
    ['nothing between', 'X-A=1&&X-B=2'],
    ['too many', Array.from({ length: 33 }, () => 'X-A=1').join('&')],
  ])('refuses %s', (_title, text) => {
    expect(parseUriHeaders(text)).toBeNull();
  });

  it('holds any text, and gives it back as what can stand in one line', () => {
    fc.assert(
      fc.property(fc.array(hostileText({ maxLength: 12 }), { maxLength: 6 }), (values) => {
        const text = formatUriHeaders(values.map((value) => ['X-Any', value]));
        expect(text).toMatch(/^[\w\-.!~*'()%=&]*$/);
        const meant = values.map((value) => Buffer.from(value.replace(/[^\x20-\x7e\x80-\uffff]+/g, ' ')).toString());
        expect(parseUriHeaders(text)).toEqual(meant.map((value) => ['x-any', value]));
      }),
    );
  });
});
