import { parseAddress } from '../../../../../media/sip/message/address';
import { parseParameters, quote, unquote } from '../../../../../media/sip/message/parameters';
import { decodeUserPart, encodeUserPart, parseUri, uriScheme } from '../../../../../media/sip/message/uri';
import { markReceived, parseVia } from '../../../../../media/sip/message/via';

describe('URI', () => {
  it.each([
    ['sip:alice@atlanta.com', { user: 'alice', host: 'atlanta.com', port: null }],
    ['sip:alice:secret@Atlanta.com:5070;transport=TCP', { user: 'alice', host: 'atlanta.com', port: 5070 }],
    ['sips:1212@gateway.com', { scheme: 'sips', user: '1212' }],
    ['sip:gateway', { user: '', host: 'gateway' }],
    ['sip:u@[2001:db8::1]:5060', { host: '[2001:db8::1]', port: 5060 }],
    ['sip:user;par=u%40example.net@example.com', { user: 'user;par=u%40example.net', host: 'example.com' }],
    ['sip:a?b@h', { user: 'a?b', host: 'h' }],
    ['sip:a@h;x?Subject=1', { host: 'h', headers: 'Subject=1' }],
    ['tel:+1-555;phone-context=+1', { scheme: 'tel', user: '+1-555', host: '' }],
    ['SIP:A@B', { scheme: 'sip', user: 'A', host: 'b' }],
  ])('reads %s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  it.each(['', 'sip:', 'sip:@h', 'sip:a@', 'sip:a@h:99999', 'sip:a b@h', '<sip:a@h>', 'http://x', 'tel:', 'alice'])(
    'refuses %j',
    (text) => expect(parseUri(text)).toBeNull(),
  );

  it('reads parameters by lower-case name', () => {
    expect(parseUri('sip:a@h;Transport=tcp;LR')?.params).toEqual(
      new Map([
        ['transport', 'tcp'],
        ['lr', null],
      ]),
    );
    expect(uriScheme('Soap.Beep://x')).toBe('soap.beep');
  });

  it('decodes and encodes user parts, and leaves broken escapes alone', () => {
    expect(decodeUserPart('%2B1555')).toBe('+1555');
    expect(decodeUserPart('%zz')).toBe('%zz');
    expect(encodeUserPart('+1555;x=1')).toBe('+1555;x=1');
    expect(encodeUserPart('a b@c<>"\r\n')).toBe('a%20b%40c%3C%3E%22%0D%0A');
    expect(encodeUserPart('Zoë')).toBe('Zo%C3%AB');
    expect(encodeUserPart('\ud800')).toBe('%EF%BF%BD');
  });
});

describe('name-addr', () => {
  it.each([
    ['"Quoted \\"name\\"" <sip:a@b;x=1>;tag=t', { displayName: 'Quoted "name"', uri: 'sip:a@b;x=1' }, 't'],
    ['caller<sip:a@b>;tag=t', { displayName: 'caller', uri: 'sip:a@b' }, 't'],
    ['sip:a@b;tag=t', { displayName: null, uri: 'sip:a@b' }, 't'],
    ['<sip:a@b> ; TAG = t ; other', { uri: 'sip:a@b' }, 't'],
    ['"W, T" < sip:a@b >', { displayName: 'W, T', uri: 'sip:a@b' }, undefined],
  ])('reads %s', (text, expected, tag) => {
    const address = parseAddress(text);
    expect(address).toMatchObject(expected);
    expect(address?.params.get('tag')).toBe(tag);
  });

  it.each(['', '"open <sip:a@b>', '<sip:a@b', 'name "x <sip:a@b>', '<>', '<sip:a@b> x', '"a" sip:a@b', 'a b'])(
    'refuses %j',
    (text) => expect(parseAddress(text)).toBeNull(),
  );
});

describe('parameters', () => {
  it('keep the first of two equal names and separators inside quotes', () => {
    expect(parseParameters('a="x;y=1";b;A=2;;c = 3')).toEqual(
      new Map([
        ['a', 'x;y=1'],
        ['b', null],
        ['c', '3'],
      ]),
    );
    expect(unquote(quote('a"\\b'))).toBe('a"\\b');
    expect(quote('a\r\nb')).toBe('"a  b"');
  });
});

describe('Via', () => {
  it('is read with any white space', () => {
    expect(parseVia('SIP  / 2.0\t/ TCP   spindle.example.com : 5062 ;\tbranch = z9hG4bK9 ; rport')).toMatchObject({
      transport: 'TCP',
      host: 'spindle.example.com',
      port: 5062,
    });
    expect(parseVia('SIP/2.0/UDP [2001:db8::9]:5061;branch=x')).toMatchObject({ host: '[2001:db8::9]', port: 5061 });
  });

  it.each(['', 'SIP/2.0/UDP', 'SIP/1.0/UDP h', 'SIP/2.0/UDP h:70000', ';', 'HTTP/2.0/UDP h'])('refuses %j', (text) =>
    expect(parseVia(text)).toBeNull(),
  );

  it.each([
    ['SIP/2.0/UDP 192.0.2.1:5060;branch=b', 'SIP/2.0/UDP 192.0.2.1:5060;branch=b'],
    ['SIP/2.0/UDP pbx;branch=b', 'SIP/2.0/UDP pbx;branch=b;received=192.0.2.1'],
    ['SIP/2.0/UDP 192.0.2.1;rport;branch=b', 'SIP/2.0/UDP 192.0.2.1;rport=4000;branch=b;received=192.0.2.1'],
    ['SIP/2.0/UDP h;branch=b;rport=1;received=9.9.9.9', 'SIP/2.0/UDP h;branch=b;rport=4000;received=192.0.2.1'],
    ['SIP/2.0/UDP h;xrport=1;branch=rport', 'SIP/2.0/UDP h;xrport=1;branch=rport;received=192.0.2.1'],
  ])('notes the source in %s', (value, expected) => {
    expect(markReceived(value, parseVia(value)!, '192.0.2.1', 4000)).toBe(expected);
  });
});
