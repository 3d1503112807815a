import type { AgentProfile, InboundTrunkProfile, OutboundTrunkProfile } from '../contract/directory';
import type { Agent } from '../store/entities/agent';
import type { PhoneNumber } from '../store/entities/phone-number';
import type { ConfigDelta, ConfigReference } from '../store/repositories/config-repository';

interface KnownAgent {
  readonly profile: AgentProfile;
  readonly createdAtMs: number;
}

/** The configuration as of one version, with the look-ups a call needs. Deltas replace rows by id. */
export class ConfigSnapshot {
  #version = 0;
  readonly #agents = new Map<string, KnownAgent>();
  readonly #inboundTrunks = new Map<string, InboundTrunkProfile>();
  readonly #inboundByUsername = new Map<string, InboundTrunkProfile>();
  readonly #outboundTrunks = new Map<string, OutboundTrunkProfile>();
  readonly #numbers = new Map<string, PhoneNumber>();
  /** Made anew when a number changes. */
  readonly #verifiedNumbers = new Map<string, readonly PhoneNumber[]>();
  /** Oldest first, made anew when an agent changes. */
  readonly #inboundAgents = new Map<string, readonly AgentProfile[]>();

  get version(): number {
    return this.#version;
  }

  /** The ids of trunks that are gone: what they carried must end. One that cannot be read now, or is suspended, is not gone. */
  apply(delta: ConfigDelta): readonly string[] {
    const revoked = this.#revokedTrunks(delta);
    if (delta.full) this.#clear();
    for (const reference of delta.deleted) this.#delete(reference);
    for (const reference of [...delta.unreadable, ...delta.suspended]) this.#delete(reference);
    for (const agent of delta.agents) {
      this.#agents.set(agent.id, { profile: toProfile(agent), createdAtMs: agent.createdAt.getTime() });
    }
    if (delta.agents.length + delta.deleted.length > 0) this.#inboundAgents.clear();
    if (delta.phoneNumbers.length + delta.deleted.length > 0) this.#verifiedNumbers.clear();
    for (const trunk of delta.inboundTrunks) {
      this.#deleteInboundTrunk(trunk.id);
      const { id, orgId, authUsername: username, authPassword: password, phoneNumbers, mediaTimeoutSeconds } = trunk;
      const profile = { id, orgId, username, password, phoneNumbers, mediaTimeoutSeconds };
      this.#inboundTrunks.set(id, profile);
      this.#inboundByUsername.set(username, profile);
    }
    for (const number of delta.phoneNumbers) this.#numbers.set(number.id, number);
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
    return this.#agents.get(agentId)?.profile;
  }

  inboundTrunk(username: string): InboundTrunkProfile | undefined {
    return this.#inboundByUsername.get(username);
  }

  inboundTrunkById(trunkId: string): InboundTrunkProfile | undefined {
    return this.#inboundTrunks.get(trunkId);
  }

  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined {
    return this.#outboundTrunks.get(trunkId);
  }

  /** The verified numbers of an organisation, with the agent that answers each. */
  verifiedNumbers(orgId: string): readonly { readonly phoneNumber: string; readonly agentId: string | null }[] {
    let numbers = this.#verifiedNumbers.get(orgId);
    if (numbers === undefined) {
      numbers = [...this.#numbers.values()].filter((number) => number.orgId === orgId && number.status === 'verified');
      this.#verifiedNumbers.set(orgId, numbers);
    }
    return numbers;
  }

  /** Agents of type inbound, oldest first. */
  inboundAgents(orgId: string): readonly AgentProfile[] {
    let agents = this.#inboundAgents.get(orgId);
    if (agents === undefined) {
      agents = [...this.#agents.values()]
        .filter(({ profile }) => profile.orgId === orgId && profile.type === 'inbound')
        .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.profile.id < b.profile.id ? -1 : 1))
        .map(({ profile }) => profile);
      this.#inboundAgents.set(orgId, agents);
    }
    return agents;
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
    this.#outboundTrunks.clear();
    this.#numbers.clear();
    this.#verifiedNumbers.clear();
    this.#inboundAgents.clear();
  }

  #delete({ kind, id }: ConfigReference): void {
    switch (kind) {
      case 'agent':
        this.#agents.delete(id);
        break;
      case 'inbound_trunk':
        this.#deleteInboundTrunk(id);
        break;
      case 'outbound_trunk':
        this.#outboundTrunks.delete(id);
        break;
      case 'phone_number':
        this.#numbers.delete(id);
        break;
    }
  }

  #deleteInboundTrunk(id: string): void {
    const known = this.#inboundTrunks.get(id);
    if (known === undefined) return;
    this.#inboundTrunks.delete(id);
    if (this.#inboundByUsername.get(known.username) === known) this.#inboundByUsername.delete(known.username);
  }
}

function toProfile(agent: Agent): AgentProfile {
  return {
    id: agent.id,
    orgId: agent.orgId,
    name: agent.name,
    type: agent.type,
    language: agent.language,
    firstMessage: agent.firstMessage,
    instructions: agent.instructions,
    voiceId: agent.voiceId,
    ttsSpeedPct: agent.ttsSpeedPct,
    interruptible: agent.interruptible,
    useOrgKnowledgebase: agent.useOrgKnowledgebase,
    sttKeyterms: agent.sttKeyterms,
    maxCallDurationSeconds: agent.maxCallDurationSeconds,
    silenceTimeoutSeconds: agent.silenceTimeoutSeconds,
  };
}
