import fc from 'fast-check';

import { parseVia } from '../../../../../media/sip/message/via';
import { contactTarget, isElsewhere, isTranslated } from '../../../../../media/sip/registrar/binding-address';
import { BINDING } from '../../../../fakes/media/sip/registers';

const UDP = { transport: 'udp', address: '192.0.2.10', port: 62_000 } as const;
const TCP = { ...UDP, transport: 'tcp' } as const;

describe('contactTarget', () => {
  it.each([
    ['a contact behind NAT at its source', 'sip:a@10.0.0.5:5060', UDP, { ...UDP }, null],
    ['a contact with a name at its source', 'sip:a@pbx.example', UDP, { ...UDP }, null],
    ['a third party never', 'sip:a@198.51.100.7:5060', UDP, { ...UDP }, null],
    ['a contact at its source by its own port', 'sip:a@192.0.2.10:5080', UDP, { ...UDP, port: 5080 }, null],
    ['5060 where it names no port', 'sip:a@192.0.2.10', UDP, { ...UDP, port: 5060 }, null],
    [
      'by TCP where it says so',
      'sip:a@192.0.2.10:5080;transport=tcp',
      UDP,
      { transport: 'tcp', address: '192.0.2.10', port: 5080 },
      null,
    ],
    ['over its connection alone behind NAT', 'sip:a@10.0.0.5', TCP, null, { address: '192.0.2.10', port: 62_000 }],
    [
      'over its connection, else over a new one',
      'sip:a@192.0.2.10:5080',
      TCP,
      { transport: 'tcp', address: '192.0.2.10', port: 5080 },
      { address: '192.0.2.10', port: 62_000 },
    ],
  ])('calls %s', (_, contact, source, address, connection) => {
    expect(contactTarget({ ...BINDING, contact, source })).toEqual({
      requestUri: contact,
      routes: [],
      address,
      connection,
    });
  });

  it('goes by a Path, to the proxy that the REGISTER came from', () => {
    const path = ['<sip:192.0.2.10:5070;lr>', '<sip:10.0.0.1;lr>'];
    const target = contactTarget({ ...BINDING, contact: 'sip:a@10.0.0.5', source: UDP, path });
    expect(target).toMatchObject({ requestUri: 'sip:a@10.0.0.5', routes: path, address: { ...UDP, port: 5070 } });
    const elsewhere = contactTarget({ ...BINDING, contact: 'sip:a@192.0.2.10', source: UDP, path: ['<sip:evil;lr>'] });
    expect(elsewhere.address).toEqual(UDP);
  });

  it('leads to no other address than the source, whatever is registered', () => {
    const host = fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.domain(),
      fc.constantFrom('192.0.2.10', '127.0.0.1', '[::ffff:192.0.2.10]'),
    );
    const port = fc.oneof(
      fc.constant(''),
      fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`),
    );
    const parameter = fc.constantFrom(
      '',
      ';transport=tcp',
      ';transport=udp',
      ';maddr=198.51.100.9',
      ';received=1.2.3.4',
    );
    const uri = fc.tuple(host, port, parameter).map((parts) => `sip:x@${parts.join('')}`);
    const path = fc.array(
      uri.map((hop) => `<${hop};lr>`),
      { maxLength: 2 },
    );
    fc.assert(
      fc.property(uri, path, fc.constantFrom(UDP, TCP), (contact, hops, source) => {
        const { address, connection } = contactTarget({ ...BINDING, contact, path: hops, source });
        for (const where of [address, connection]) if (where !== null) expect(where.address).toBe(source.address);
        if (connection !== null) expect(connection.port).toBe(source.port);
      }),
    );
  });
});

it('calls a contact whose port was changed on the way at its source alone', () => {
  const contact = 'sip:a@192.0.2.10:5060';
  expect(contactTarget({ ...BINDING, contact, source: UDP, behindNat: true }).address).toEqual(UDP);
});

it('tells by Contact that something lies between', () => {
  expect(isElsewhere('sip:a@10.0.0.5', UDP)).toBe(true);
  expect(isElsewhere('sip:a@pbx.example', UDP)).toBe(true);
  expect(isElsewhere('sip:a@192.0.2.10:5060', UDP)).toBe(false);
});

it.each([
  ['SIP/2.0/UDP 10.0.0.5:62000;rport', true],
  ['SIP/2.0/UDP 192.0.2.10:5060;rport', true],
  ['SIP/2.0/UDP 192.0.2.10;rport', true],
  ['SIP/2.0/UDP 192.0.2.10:62000;rport', false],
  ['SIP/2.0/UDP pbx.example:62000;rport', false],
  // It listens where it says, and sends from anywhere.
  ['SIP/2.0/UDP 192.0.2.10:5060', false],
])('tells by Via %s that it was changed on the way: %s', (via, translated) => {
  expect(isTranslated(parseVia(via)!, UDP)).toBe(translated);
  expect(isTranslated(parseVia(via)!, TCP)).toBe(false);
});
