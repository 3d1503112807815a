import { orderSrv, sipServices } from '../../../../../media/sip/edge/service-records';
import { seededRandom } from '../../../../support/seeded-random';

import type { NaptrRecord, SrvRecord } from 'node:dns';

const srv = (name: string, priority: number, weight: number): SrvRecord => ({ name, port: 5060, priority, weight });
const namesOf = (records: readonly SrvRecord[]): string[] => records.map(({ name }) => name);

describe('order of SRV records', () => {
  it('keeps priorities apart, and every record once, whatever the draw', () => {
    const random = seededRandom(20);
    for (let round = 0; round < 500; round++) {
      const records = Array.from({ length: Math.floor(random() * 12) }, (_, n) =>
        srv(`h${n}`, Math.floor(random() * 3), Math.floor(random() * 4) * Math.floor(random() * 20_000)),
      );
      const ordered = orderSrv(records, random);
      expect(namesOf(ordered).toSorted()).toEqual(namesOf(records).toSorted());
      const priorities = ordered.map(({ priority }) => priority);
      expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
    }
  });

  it('draws in proportion to the weights, for each place anew', () => {
    const random = seededRandom(2782);
    const records = [srv('one', 10, 1), srv('three', 10, 3), srv('six', 10, 6), srv('later', 20, 100)];
    const rounds = 20_000;
    const first: Record<string, number> = {};
    let threeBeforeOneAfterSix = 0;
    let afterSix = 0;
    for (let round = 0; round < rounds; round++) {
      const names = namesOf(orderSrv(records, random));
      expect(names[3]).toBe('later');
      first[names[0]!] = (first[names[0]!] ?? 0) + 1;
      if (names[0] !== 'six') continue;
      afterSix += 1;
      if (names[1] === 'three') threeBeforeOneAfterSix += 1;
    }
    expect(first.one! / rounds).toBeCloseTo(1 / 10, 1);
    expect(first.three! / rounds).toBeCloseTo(3 / 10, 1);
    expect(first.six! / rounds).toBeCloseTo(6 / 10, 1);
    expect(threeBeforeOneAfterSix / afterSix).toBeCloseTo(3 / 4, 1);
  });

  it('gives weight 0 a very small chance beside others', () => {
    const random = seededRandom(7);
    let zeroFirst = 0;
    for (let round = 0; round < 10_000; round++) {
      if (namesOf(orderSrv([srv('heavy', 0, 99), srv('zero', 0, 0)], random))[0] === 'zero') zeroFirst += 1;
    }
    expect(zeroFirst).toBeGreaterThan(0);
    expect(zeroFirst / 10_000).toBeLessThan(0.03);
  });
});

describe('services of a domain', () => {
  const naptr = (
    order: number,
    preference: number,
    service: string,
    replacement: string,
    flags = 's',
  ): NaptrRecord => ({
    flags,
    service,
    regexp: '',
    replacement,
    order,
    preference,
  });

  it('are those that we speak, in the order of the domain', () => {
    expect(
      sipServices([
        naptr(20, 10, 'SIP+D2U', '_sip._udp.example.com'),
        naptr(10, 50, 'sip+d2t', '_sip._tcp.example.com', 'S'),
        naptr(10, 10, 'SIPS+D2T', '_sips._tcp.example.com'),
        naptr(10, 20, 'SIP+D2S', '_sip._sctp.example.com'),
        naptr(5, 10, 'E2U+sip', '', 'u'),
        naptr(15, 10, 'SIP+D2T', '_sip._tcp.backup.example.com'),
        naptr(1, 1, 'SIP+D2U', '', 's'),
      ]),
    ).toEqual([
      { name: '_sip._tcp.example.com', transport: 'tcp' },
      { name: '_sip._tcp.backup.example.com', transport: 'tcp' },
      { name: '_sip._udp.example.com', transport: 'udp' },
    ]);
  });
});
