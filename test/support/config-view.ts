import type { ConfigSnapshot } from '../../media-node/config-snapshot';

/** What there is, or ever was, to ask a configuration for. */
export interface ConfigUniverse {
  readonly agentIds: readonly string[];
  readonly carrierIds: readonly string[];
  readonly usernames: readonly string[];
  readonly orgIds: readonly string[];
  readonly numbers: readonly string[];
  readonly addresses: readonly string[];
}

/** Every answer that a call can get from it, as JSON has it. */
export function viewOf(snapshot: ConfigSnapshot, universe: ConfigUniverse): object {
  const { agentIds, carrierIds, usernames, orgIds, numbers, addresses } = universe;
  const trunk = (username: string): object | null => {
    const found = snapshot.inboundTrunk(username);
    if (found === undefined) return null;
    const { sources, ...rest } = found;
    const letsIn = sources == null ? 'all' : addresses.filter((address) => sources.has(address));
    return { ...rest, letsIn, byId: snapshot.inboundTrunkById(found.id) === found };
  };
  const view = {
    version: snapshot.version,
    agents: each(agentIds, (id) => snapshot.agent(id)),
    carriers: each(carrierIds, (id) => snapshot.outboundTrunk(id)),
    trunks: each(usernames, trunk),
    addresses: each(addresses, (address) => snapshot.inboundTrunkAt(address)?.id),
    organisations: each(orgIds, (orgId) => {
      const organisation = snapshot.organisation(orgId);
      return {
        first: organisation.oldestInboundAgent()?.id,
        dialed: each([...numbers, ...numbers.map(nationally)], (user) => organisation.dialed(user)),
        awaited: each(numbers, (number) => organisation.awaited.find(number)),
        agents: each(agentIds, (id) => organisation.agent(id)?.name),
      };
    }),
  };
  return JSON.parse(JSON.stringify(view)) as object;
}

function each<T>(keys: readonly string[], of: (key: string) => T): Record<string, T | null> {
  return Object.fromEntries(keys.map((key) => [key, of(key) ?? null]));
}

const nationally = (e164: string): string => e164.slice(-10);
