import type { NaptrRecord } from 'node:dns';

interface Weighed {
  readonly priority: number;
  readonly weight: number;
}

/**
 * The order in which hosts of a service are tried: by priority; within one, each next is drawn with a chance in
 * proportion to its weight, those of weight 0 hardly ever before others (RFC 2782).
 * @param random like Math.random
 */
export function orderSrv<Host extends Weighed>(records: readonly Host[], random: () => number): Host[] {
  // Weight 0 in front: there it is drawn only by a 0.
  const left = records.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: Host[] = [];
  while (left.length > 0) {
    const priority = left[0]!.priority;
    const group = left.filter((record) => record.priority === priority);
    const total = group.reduce((sum, { weight }) => sum + weight, 0);
    // A 0 is drawn for the sake of those of weight 0 only: beside 3 and 1 it would make 3:2 of them.
    const lowest = group[0]!.weight === 0 ? 0 : 1;
    let draw = lowest + Math.floor(random() * (total + 1 - lowest));
    const drawn = group.findIndex(({ weight }) => (draw -= weight) <= 0);
    ordered.push(...left.splice(drawn, 1));
  }
  return ordered;
}

export interface SipService {
  /** Where its SRV records are. */
  readonly name: string;
  readonly transport: 'udp' | 'tcp';
}

const NAPTR_TRANSPORTS: Readonly<Record<string, SipService['transport']>> = { 'SIP+D2U': 'udp', 'SIP+D2T': 'tcp' };

/** What a domain offers of what we speak, in its own order of preference (RFC 3263 §4.1). */
export function sipServices(records: readonly NaptrRecord[]): SipService[] {
  return records
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, replacement }) => {
      const transport = NAPTR_TRANSPORTS[service.toUpperCase()];
      if (transport === undefined || flags.toUpperCase() !== 'S' || replacement === '') return [];
      return [{ name: replacement, transport }];
    });
}
