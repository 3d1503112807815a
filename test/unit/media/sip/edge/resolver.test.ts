import { NameError } from '../../../../../media/sip/edge/name-error';
import { publicTargets, targetResolver, whyUnreachable } from '../../../../../media/sip/edge/resolver';

import type { NaptrRecord, SrvRecord } from 'node:dns';
import type { NameLookup } from '../../../../../media/sip/edge/names';
import type { TargetResolver } from '../../../../../media/sip/edge/resolver';

interface Zone {
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
  readonly naptr?: Readonly<Record<string, readonly NaptrRecord[]>>;
}

const srv = (name: string, port: number, priority = 0): SrvRecord => ({ name, port, priority, weight: 0 });
const naptr = (order: number, service: string, replacement: string): NaptrRecord => ({
  flags: 's',
  service,
  regexp: '',
  replacement,
  order,
  preference: 0,
});

function resolverOf(zone: Zone): { resolve: TargetResolver; asked: string[] } {
  const asked: string[] = [];
  const names: NameLookup = {
    addresses: (name) => {
      asked.push(`A ${name}`);
      const found = zone.addresses?.[name];
      return found === undefined ? Promise.reject(new NameError(name, 'not_found')) : Promise.resolve(found);
    },
    srv: (name) => {
      asked.push(`SRV ${name}`);
      return Promise.resolve(zone.srv?.[name] ?? []);
    },
    naptr: (name) => {
      asked.push(`NAPTR ${name}`);
      return Promise.resolve(zone.naptr?.[name] ?? []);
    },
  };
  return { resolve: targetResolver(names, () => 0), asked };
}

describe('targets of a host (RFC 3263)', () => {
  // Our credentials answer only whom we called, and a socket's word for that is the canonical spelling.
  it.each([
    ['[2001:DB8:0::1]', null, null, { address: '2001:db8::1', port: 5060, transport: 'udp' }],
    ['192.0.2.1', 5070, 'tcp', { address: '192.0.2.1', port: 5070, transport: 'tcp' }],
    ['::FFFF:192.0.2.1', null, 'tcp', { address: '::ffff:192.0.2.1', port: 5060, transport: 'tcp' }],
  ] as const)('a literal (%s) is asked nowhere', async (host, port, transport, expected) => {
    const { resolve, asked } = resolverOf({});
    expect(await resolve(host, port, transport)).toEqual([expected]);
    expect(asked).toEqual([]);
  });

  const ADDRESSES = {
    'carrier.test': ['192.0.2.1', '2001:db8::1'],
    'a.carrier.test': ['192.0.2.11'],
    'b.carrier.test': ['192.0.2.12', '192.0.2.13'],
  };

  it('with a port are its addresses, without any other question', async () => {
    const { resolve, asked } = resolverOf({ addresses: ADDRESSES, srv: { '_sip._udp.carrier.test': [srv('x', 1)] } });
    expect(await resolve('carrier.test', 5080, null)).toEqual([
      { address: '192.0.2.1', port: 5080, transport: 'udp' },
      { address: '2001:db8::1', port: 5080, transport: 'udp' },
    ]);
    expect(asked).toEqual(['A carrier.test']);
  });

  it('without a port, with a transport, are those of its SRV records', async () => {
    const { resolve, asked } = resolverOf({
      addresses: ADDRESSES,
      srv: { '_sip._tcp.carrier.test': [srv('b.carrier.test', 5062, 2), srv('a.carrier.test', 5061, 1)] },
    });
    expect(await resolve('carrier.test', null, 'tcp')).toEqual([
      { address: '192.0.2.11', port: 5061, transport: 'tcp' },
      { address: '192.0.2.12', port: 5062, transport: 'tcp' },
      { address: '192.0.2.13', port: 5062, transport: 'tcp' },
    ]);
    expect(asked.some((question) => question.startsWith('NAPTR'))).toBe(false);
  });

  it('without both are those of the services that NAPTR names, in its order', async () => {
    const { resolve } = resolverOf({
      addresses: ADDRESSES,
      naptr: {
        'carrier.test': [naptr(20, 'SIP+D2U', '_sip._udp.other.test'), naptr(10, 'SIP+D2T', '_sip._tcp.other.test')],
      },
      srv: {
        '_sip._udp.other.test': [srv('a.carrier.test', 5060)],
        '_sip._tcp.other.test': [srv('b.carrier.test', 5064)],
        '_sip._udp.carrier.test': [srv('carrier.test', 1)],
      },
    });
    expect(await resolve('carrier.test', null, null)).toEqual([
      { address: '192.0.2.12', port: 5064, transport: 'tcp' },
      { address: '192.0.2.13', port: 5064, transport: 'tcp' },
      { address: '192.0.2.11', port: 5060, transport: 'udp' },
    ]);
  });

  it('without both and without NAPTR are those of each transport', async () => {
    const { resolve } = resolverOf({
      addresses: ADDRESSES,
      srv: { '_sip._tcp.carrier.test': [srv('a.carrier.test', 5070)] },
    });
    expect(await resolve('carrier.test', null, null)).toEqual([
      { address: '192.0.2.11', port: 5070, transport: 'tcp' },
    ]);
  });

  it.each([null, 'udp', 'tcp'] as const)(
    'without any record (transport %s) are its addresses at port 5060',
    async (t) => {
      const { resolve } = resolverOf({ addresses: ADDRESSES });
      expect(await resolve('a.carrier.test', null, t)).toEqual([
        { address: '192.0.2.11', port: 5060, transport: t ?? 'udp' },
      ]);
    },
  );

  it('leave out hosts of a service that have no address, and a service that is not offered', async () => {
    const { resolve } = resolverOf({
      addresses: ADDRESSES,
      srv: {
        '_sip._udp.carrier.test': [srv('', 0)],
        '_sip._tcp.carrier.test': [srv('gone.test', 1, 1), srv('a.carrier.test', 5061, 2)],
      },
    });
    expect(await resolve('carrier.test', null, null)).toEqual([
      { address: '192.0.2.11', port: 5061, transport: 'tcp' },
    ]);
  });

  it('are not asked for without end: a service has ten hosts at most', async () => {
    const many = Array.from({ length: 500 }, (_, n) => srv(`h${n}.test`, 5060));
    const { resolve, asked } = resolverOf({ srv: { '_sip._udp.carrier.test': many } });
    await expect(resolve('carrier.test', null, 'udp')).rejects.toMatchObject({ failure: 'not_found' });
    expect(asked.filter((question) => question.startsWith('A h'))).toHaveLength(10);
  });

  it('reject with what the name server said', async () => {
    await expect(resolverOf({}).resolve('nowhere.test', 5060, 'udp')).rejects.toThrow(
      'nowhere.test: no such host name',
    );
  });

  it('keeps the public addresses of a name, in their order', async () => {
    const found = ['10.0.0.1', '9.9.9.9', '::ffff:127.0.0.1', '64:ff9b::10.0.0.1', '2620:fe::fe', '169.254.169.254'];
    const { resolve } = resolverOf({ addresses: { 'carrier.test': found } });
    expect((await publicTargets(resolve)('carrier.test', null, 'udp')).map(({ address }) => address)).toEqual([
      '9.9.9.9',
      '2620:fe::fe',
    ]);
  });

  it.each(['10.0.0.1', '[fd00::1]', '[::ffff:7f00:1]', '0.0.0.0'])(
    'refuses %s where it is not allowed',
    async (host) => {
      await expect(publicTargets(resolverOf({}).resolve)(host, null, 'udp')).rejects.toMatchObject({
        name: 'PrivateTargetError',
      });
    },
  );
});

it.each([
  [Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:5060'), { code: 'ECONNREFUSED' }), 'connection refused'],
  [Object.assign(new Error('x'), { code: 'EHOSTUNREACH' }), 'host unreachable'],
  [Object.assign(new Error('odd'), { code: 'EODD' }), 'odd'],
  [new NameError('carrier.test', 'failed', { code: 'ECONNREFUSED' }), 'carrier.test: name server failed'],
  [undefined, 'no address'],
])('says why %s made a target unreachable', (error, words) => {
  expect(whyUnreachable(error)).toBe(words);
});
