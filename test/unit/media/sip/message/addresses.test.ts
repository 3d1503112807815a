import fc from 'fast-check';

import { parseAddress } from '../../../../../media/sip/message/address';
import { parseParameters, quote, unquote } from '../../../../../media/sip/message/parameters';
import { parseMessage } from '../../../../../media/sip/message/parser';
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
    ['sip:a@[2001:DB8:::192.0.2.1]', { host: '[2001:db8::192.0.2.1]' }],
    ['sip:a@[2001:db8::10:5070]', { host: '[2001:db8::10:5070]', port: null }],
    ['sip:a:pw%3a@h', { user: 'a', password: 'pw%3a' }],
  ])('reads %s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  it.each([
    '',
    'sip:',
    'sip:@h',
    'sip:a@',
    'sip:a@h:99999',
    'sip:a@h:0',
    'sip:a@h:00000;lr',
    'sip:2001:db8::10',
    'sip:[2001:db8]',
    'sip:[2001:db8:::10]',
    'sip:a b@h',
    '<sip:a@h>',
    'http://x',
    'tel:',
    'alice',
  ])('refuses %j', (text) => expect(parseUri(text)).toBeNull());

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
    ['"<sip:no@no>;tag=no" <sip:a@b>;tag=t', { displayName: '<sip:no@no>;tag=no', uri: 'sip:a@b' }, 't'],
    ['"back\\\\" <sip:a@b>;tag=t', { displayName: 'back\\', uri: 'sip:a@b' }, 't'],
    ['"" <sip:a@b>;tag=t', { displayName: '', uri: 'sip:a@b' }, 't'],
    ['alice@b.com <sip:a@b>;tag=t', { displayName: 'alice@b.com', uri: 'sip:a@b' }, 't'],
    ['Zo\xc3\xab \t B. <sip:a@b>;tag=t', { displayName: 'Zo\xc3\xab \t B.', uri: 'sip:a@b' }, 't'],
    ['Al (sales, "<EU>" no) <sip:a@b>;tag=t', null, undefined],
    ['Al (sales, EU; 2nd) <sip:a@b>;tag=t', { displayName: 'Al (sales, EU; 2nd)', uri: 'sip:a@b' }, 't'],
    ['Al (open <sip:a@b>;tag=t', { displayName: 'Al (open', uri: 'sip:a@b' }, 't'],
    ['sip:a@b;+sip.instance="<urn:gsma:imei:35-0>";tag=t', { displayName: null, uri: 'sip:a@b' }, 't'],
    ['sip:a@b;+sip.instance=<urn:uuid:1>;tag=t', { displayName: null, uri: 'sip:a@b' }, 't'],
    ['sip:a@b ; x="a;\\"tag=no, <y>" ; tag = t', { displayName: null, uri: 'sip:a@b' }, 't'],
    ['sip:a(b)@c;tag=t', { displayName: null, uri: 'sip:a(b)@c' }, 't'],
    ['<sip:a@b;x=1?h=%3C>;q="0,5";tag=t', { displayName: null, uri: 'sip:a@b;x=1?h=%3C' }, 't'],
    ['tel:+1-555;tag=t', { displayName: null, uri: 'tel:+1-555' }, 't'],
  ])('reads %s', (text, expected, tag) => {
    const address = parseAddress(text);
    if (expected === null) expect(address).toBeNull();
    else expect(address).toMatchObject(expected);
    expect(address?.params.get('tag')).toBe(tag);
  });

  it.each([
    '',
    '"open <sip:a@b>',
    '"ends in an escape\\" <sip:a@b>',
    '<sip:a@b',
    'name "x <sip:a@b>',
    'Bell, Alexander <sip:a@b>',
    '<>',
    '<sip:a@b> x',
    '"a" sip:a@b',
    '"a" x <sip:a@b>',
    'a b',
    'sip:a@"b"',
  ])('refuses %j', (text) => expect(parseAddress(text)).toBeNull());

  // What their values have in common is read in one place.
  it.each(['Contact', 'Route', 'Record-Route', 'P-Asserted-Identity', 'Diversion'])(
    'finds all of them in %s, whatever their parameters hold',
    (name) => {
      const values = [
        '"Smith, \\"J\\" <x>" <sip:j,s@a;x="y">;q="1,2"',
        '<sip:b@h>;+sip.instance="<urn:uuid:1>,<2>"',
        'sip:c@h;x="a,<b>\\",";y',
      ];
      const text = `OPTIONS sip:a SIP/2.0\r\n${name}: ${values[0]}, ${values[1]}\r\n${name}: ${values[2]}\r\n\r\n`;
      const found = parseMessage(Buffer.from(text, 'latin1')).list(name.toLowerCase());
      expect(found).toEqual(values);
      expect(found.map((value) => parseAddress(value)?.uri)).toEqual(['sip:j,s@a;x="y"', 'sip:b@h', 'sip:c@h']);
    },
  );

  it.each(['From', 'f', 'To', 'Refer-To', 'r', 'Referred-By', 'b', 'Reply-To', 'P-Preferred-Identity'])(
    'is read in %s',
    (name) => {
      const text = `OPTIONS sip:a SIP/2.0\r\n${name}: sip:a@b;x="<sip:c@d>;tag=no, \\"";tag=t\r\n\r\n`;
      const message = parseMessage(Buffer.from(text, 'latin1'));
      const address = parseAddress(message.first([...message.headers.keys()][0]!)!);
      expect(address?.uri).toBe('sip:a@b');
      expect(address?.params).toEqual(
        new Map([
          ['x', '<sip:c@d>;tag=no, "'],
          ['tag', 't'],
        ]),
      );
    },
  );

  it('is read as it was written, whatever is quoted', () => {
    const quoted = fc.string({ unit: fc.constantFrom(...Array.from('ab "\\<>,;:=()@\t%')) });
    const uri = fc.constantFrom('sip:a@b', 'sips:a@[::1]:5061;transport=tcp', 'tel:+1', 'sip:a;x=1@h?y=z');
    const plain = fc.constantFrom('sip:a@b', 'tel:+1', 'sip:h:5070');
    const form = fc.oneof(
      fc.tuple(quoted, uri).map(([name, to]) => ({ text: `${quote(name)} <${to}>`, name, to })),
      fc.tuple(fc.constantFrom('', 'Al', 'A. B-c'), uri).map(([name, to]) => ({ text: `${name} <${to}>`, name, to })),
      plain.map((to) => ({ text: to, name: null, to })),
    );
    fc.assert(
      fc.property(form, fc.array(quoted, { maxLength: 4 }), ({ text, name, to }, values) => {
        const params = values.map((value, i) => `;p${i}=${quote(value)}`).join('');
        const address = parseAddress(`${text}${params};tag=t`);
        expect(address?.uri).toBe(to);
        if (name !== null && name !== '') expect(address?.displayName).toBe(name);
        expect([...(address?.params.values() ?? [])]).toEqual([...values, 't']);
      }),
    );
  });
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

  it.each(['', 'SIP/2.0/UDP', 'SIP/1.0/UDP h', 'SIP/2.0/UDP h:70000', 'SIP/2.0/UDP h:0', ';', 'HTTP/2.0/UDP h'])(
    'refuses %j',
    (text) => expect(parseVia(text)).toBeNull(),
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
