import type { AddressSet, AgentProfile, InboundTrunkProfile, OutboundTrunkProfile } from '../contract/directory';
import { NetworkMap, parseNetwork } from '../ops/address-network';
import type { ConfigDelta, ConfigReference, ConfiguredNumber, InboundTrunkConfig } from '../store/config-changes';
import { roundOf } from '../store/repositories/number-verification-repository';
import { OrganisationConfig } from './organisation-config';

/** The configuration as of one version, with the look-ups a call needs. Deltas replace rows by id. */
export class ConfigSnapshot {
  #version = 0;
  readonly #agents = new Map<string, AgentProfile>();
  readonly #inboundTrunks = new Map<string, InboundTrunkProfile>();
  readonly #inboundByUsername = new Map<string, InboundTrunkProfile>();
  /** By the networks of those that are known by their address. */
  readonly #inboundByNetwork = new NetworkMap<InboundTrunkProfile>();
  readonly #networks = new Map<string, readonly string[]>();
  readonly #outboundTrunks = new Map<string, OutboundTrunkProfile>();
  readonly #numbers = new Map<string, ConfiguredNumber>();
  readonly #organisations = new Map<string, OrganisationConfig>();

  get version(): number {
    return this.#version;
  }

  /** The ids of trunks that are gone: what they carried must end. One that cannot be read now, or is suspended, is not gone. */
  apply(delta: ConfigDelta): readonly string[] {
    const revoked = this.#revokedTrunks(delta);
    if (delta.full) this.#clear();
    for (const reference of delta.deleted) this.#delete(reference);
    for (const reference of [...delta.unreadable, ...delta.suspended]) this.#delete(reference);
    for (const { createdAtMs, ...agent } of delta.agents) {
      // Its id may have been another organisation's.
      this.#deleteAgent(agent.id);
      this.#agents.set(agent.id, agent);
      this.organisation(agent.orgId).setAgent(agent, createdAtMs);
    }
    for (const trunk of delta.inboundTrunks) {
      this.#deleteInboundTrunk(trunk.id);
      const profile = inboundProfile(trunk);
      const { id, orgId, username, phoneNumbers } = profile;
      this.#inboundTrunks.set(id, profile);
      this.#inboundByUsername.set(username, profile);
      if (trunk.auth === 'ip') this.#knowByNetworks(profile, trunk.ipAllowlist ?? []);
      this.organisation(orgId).numbers.putOnTrunk(phoneNumbers);
    }
    // All that they were before any of what they are: a number may move from one record to another.
    for (const { id } of delta.phoneNumbers) this.#deletePhoneNumber(id);
    for (const number of delta.phoneNumbers) {
      const { id, orgId, phoneNumber, status, agentId } = number;
      this.#numbers.set(id, number);
      if (status === 'verified') this.organisation(orgId).numbers.verify(phoneNumber, agentId);
      const round = roundOf(number);
      if (round?.method === 'inbound_call') this.organisation(orgId).awaited.add(phoneNumber, round);
    }
    for (const trunk of delta.outboundTrunks) {
      const { transport, ...profile } = trunk;
      // TLS towards carriers is not offered by the API yet; a row that asks for it is not dialled in the clear.
      if (transport === 'tls') this.#outboundTrunks.delete(trunk.id);
      else this.#outboundTrunks.set(trunk.id, { ...profile, transport });
    }
    this.#version = delta.version;
    return revoked;
  }

  agent(agentId: string): AgentProfile | undefined {
    return this.#agents.get(agentId);
  }

  inboundTrunk(username: string): InboundTrunkProfile | undefined {
    return this.#inboundByUsername.get(username);
  }

  inboundTrunkAt(address: string): InboundTrunkProfile | undefined {
    return this.#inboundByNetwork.get(address);
  }

  inboundTrunkById(trunkId: string): InboundTrunkProfile | undefined {
    return this.#inboundTrunks.get(trunkId);
  }

  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined {
    return this.#outboundTrunks.get(trunkId);
  }

  /** Of an unknown one: nothing. */
  organisation(orgId: string): OrganisationConfig {
    let organisation = this.#organisations.get(orgId);
    if (organisation === undefined) {
      organisation = new OrganisationConfig();
      this.#organisations.set(orgId, organisation);
    }
    return organisation;
  }

  #revokedTrunks({
    full,
    deleted,
    unreadable,
    suspended,
    inboundTrunks,
    outboundTrunks,
  }: ConfigDelta): readonly string[] {
    if (!full) return deleted.filter(({ kind }) => kind.endsWith('_trunk')).map(({ id }) => id);
    const present = new Set([...inboundTrunks, ...outboundTrunks, ...unreadable, ...suspended].map(({ id }) => id));
    return [...this.#inboundTrunks.keys(), ...this.#outboundTrunks.keys()].filter((id) => !present.has(id));
  }

  #clear(): void {
    this.#agents.clear();
    this.#inboundTrunks.clear();
    this.#inboundByUsername.clear();
    this.#inboundByNetwork.clear();
    this.#networks.clear();
    this.#outboundTrunks.clear();
    this.#numbers.clear();
    this.#organisations.clear();
  }

  #delete({ kind, id }: ConfigReference): void {
    switch (kind) {
      case 'agent':
        this.#deleteAgent(id);
        break;
      case 'inbound_trunk':
        this.#deleteInboundTrunk(id);
        break;
      case 'outbound_trunk':
        this.#outboundTrunks.delete(id);
        break;
      case 'phone_number':
        this.#deletePhoneNumber(id);
        break;
    }
  }

  #deleteAgent(id: string): void {
    const known = this.#agents.get(id);
    if (known === undefined) return;
    this.#agents.delete(id);
    this.organisation(known.orgId).deleteAgent(id);
  }

  #deletePhoneNumber(id: string): void {
    const known = this.#numbers.get(id);
    if (known === undefined) return;
    this.#numbers.delete(id);
    const { numbers, awaited } = this.organisation(known.orgId);
    if (known.status === 'verified') numbers.unverify(known.phoneNumber);
    else awaited.delete(known.phoneNumber);
  }

  #deleteInboundTrunk(id: string): void {
    const known = this.#inboundTrunks.get(id);
    if (known === undefined) return;
    this.#inboundTrunks.delete(id);
    this.organisation(known.orgId).numbers.takeOffTrunk(known.phoneNumbers);
    if (this.#inboundByUsername.get(known.username) === known) this.#inboundByUsername.delete(known.username);
    for (const network of this.#networks.get(id) ?? []) {
      const parsed = parseNetwork(network);
      // Another trunk may have it by now.
      if (parsed !== null && this.#inboundByNetwork.at(parsed) === known) this.#inboundByNetwork.delete(parsed);
    }
    this.#networks.delete(id);
  }

  #knowByNetworks(profile: InboundTrunkProfile, networks: readonly string[]): void {
    this.#networks.set(profile.id, networks);
    for (const network of networks) {
      const parsed = parseNetwork(network);
      if (parsed !== null) this.#inboundByNetwork.set(parsed, profile);
    }
  }
}

function inboundProfile(trunk: InboundTrunkConfig): InboundTrunkProfile {
  const { authUsername: username, authPassword: password, ipAllowlist = [], ...rest } = trunk;
  // No list allows every address.
  const sources = ipAllowlist.length === 0 ? {} : { sources: addressSet(ipAllowlist) };
  return { ...rest, username, password, ...sources };
}

function addressSet(networks: readonly string[]): AddressSet {
  const listed = new NetworkMap<true>();
  for (const network of networks) {
    const parsed = parseNetwork(network);
    if (parsed !== null) listed.set(parsed, true);
  }
  return { has: (address) => listed.get(address) === true };
}
