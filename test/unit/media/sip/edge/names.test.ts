import { NameError } from '../../../../../media/sip/edge/name-error';
import { Names } from '../../../../../media/sip/edge/names';
import { FakeClock, settle } from '../../../../fakes/fake-clock';

import type { NaptrRecord, SrvRecord } from 'node:dns';
import type { NameAnswer } from '../../../../../media/sip/edge/name-cache';
import type { NameQueries } from '../../../../../media/sip/edge/name-server';

const never = <V>(): Promise<NameAnswer<V>> => new Promise(() => undefined);
const answer = <V>(value: V, ttlMs = 60_000): Promise<NameAnswer<V>> => Promise.resolve({ value, ttlMs });
const none = <V>(name: string): Promise<NameAnswer<V>> => Promise.reject(new NameError(name, 'not_found'));
const broken = <V>(name: string): Promise<NameAnswer<V>> => Promise.reject(new NameError(name, 'failed'));

describe('names', () => {
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });

  function namesOf(queries: Partial<NameQueries>, hosts: Readonly<Record<string, readonly string[]>> = {}): Names {
    return new Names({
      clock,
      hosts: { addresses: (name) => hosts[name] ?? [] },
      queries: {
        a: (name) => none(name),
        aaaa: (name) => none(name),
        srv: (name) => none<readonly SrvRecord[]>(name),
        naptr: (name) => none<readonly NaptrRecord[]>(name),
        ...queries,
      },
    });
  }

  it('have the addresses of both families, IPv4 first', async () => {
    const names = namesOf({ a: () => answer(['192.0.2.1', '192.0.2.2']), aaaa: () => answer(['2001:db8::1']) });
    expect(await names.addresses('carrier.test')).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  });

  it('wait 50 ms for the other family when the first is there', async () => {
    const names = namesOf({ a: () => answer(['192.0.2.1']), aaaa: never });
    let found: readonly string[] | undefined;
    void names.addresses('carrier.test').then((addresses) => (found = addresses));
    await clock.advance(49);
    expect(found).toBeUndefined();
    await clock.advance(1);
    expect(found).toEqual(['192.0.2.1']);
  });

  it.each([
    ['none', none],
    ['a failure', broken],
  ])('take those of IPv6 alone, with %s for IPv4', async (_, a) => {
    expect(await namesOf({ a, aaaa: () => answer(['2001:db8::1']) }).addresses('carrier.test')).toEqual([
      '2001:db8::1',
    ]);
  });

  it.each([
    ['not_found', none, none],
    ['failed', broken, none],
    ['failed', none, broken],
  ] as const)('are %s without any', async (failure, a, aaaa) => {
    await expect(namesOf({ a, aaaa }).addresses('carrier.test')).rejects.toMatchObject({ failure });
  });

  it('of a silent name server are given up after 1.5 s, by each who waits; what it says later serves the next', async () => {
    let say: (answer: NameAnswer<readonly string[]>) => void = () => undefined;
    const a = jest.fn(() => new Promise<NameAnswer<readonly string[]>>((resolve) => (say = resolve)));
    const names = namesOf({ a });
    const waiting = names.addresses('slow.test').catch((error: unknown) => error);
    await clock.advance(1_000);
    const later = names.addresses('SLOW.test.').catch((error: unknown) => error);
    await clock.advance(500);
    expect(await waiting).toMatchObject({ failure: 'no_answer', message: 'slow.test: name server does not answer' });
    say({ value: ['192.0.2.7'], ttlMs: 60_000 });
    expect(await later).toEqual(['192.0.2.7']);
    expect(await names.addresses('slow.test')).toEqual(['192.0.2.7']);
    expect(a).toHaveBeenCalledTimes(1);
    expect(clock.armed).toBe(0);
  });

  it('that do not answer keep no others waiting', async () => {
    const names = namesOf({ a: (name) => (name === 'dead.test' ? never() : answer(['192.0.2.1'])) });
    const dead = Array.from({ length: 100 }, () => names.addresses('dead.test').catch(() => 'given up'));
    let found: readonly string[] | undefined;
    void names.addresses('good.test').then((addresses) => (found = addresses));
    await settle();
    expect(found).toEqual(['192.0.2.1']);
    await clock.advance(1_500);
    expect(new Set(await Promise.all(dead))).toEqual(new Set(['given up']));
  });

  it('of services are none when the name server does not say within 500 ms', async () => {
    const names = namesOf({ srv: never, naptr: (name) => broken(name) });
    expect(await names.naptr('carrier.test')).toEqual([]);
    let found: unknown;
    void names.srv('_sip._udp.carrier.test').then((records) => (found = records));
    await clock.advance(500);
    expect(found).toEqual([]);
  });

  it('of the hosts file, localhost and .invalid are never asked for', async () => {
    const a = jest.fn(never<readonly string[]>);
    const names = namesOf({ a }, { 'pbx.lan': ['192.168.1.5'] });
    expect(await names.addresses('PBX.lan')).toEqual(['192.168.1.5']);
    expect(await names.addresses('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(await names.addresses('any.localhost.')).toEqual(['127.0.0.1', '::1']);
    await expect(names.addresses('nowhere.invalid')).rejects.toMatchObject({ failure: 'not_found' });
    expect(a).not.toHaveBeenCalled();
  });
});
