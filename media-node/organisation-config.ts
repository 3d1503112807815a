import type { AgentProfile } from '../contract/directory';
import type { DialedNumber, RoutedOrganisation } from '../contract/inbound-routing';
import { OwnNumbers } from '../store/routing/own-numbers';
import { AwaitedNumbers } from './awaited-numbers';

interface KnownAgent {
  readonly profile: AgentProfile;
  readonly createdAtMs: number;
}

/** What routing asks of an organisation, from memory. */
export class OrganisationConfig implements RoutedOrganisation<AgentProfile> {
  readonly numbers = new OwnNumbers();
  readonly awaited = new AwaitedNumbers();
  readonly #agents = new Map<string, KnownAgent>();
  /** Undefined until it is looked for, and after each change of an agent. */
  #oldestInbound: KnownAgent | null | undefined;

  setAgent(profile: AgentProfile, createdAtMs: number): void {
    this.#agents.set(profile.id, { profile, createdAtMs });
    this.#oldestInbound = undefined;
  }

  deleteAgent(id: string): void {
    this.#agents.delete(id);
    this.#oldestInbound = undefined;
  }

  agent(id: string): AgentProfile | undefined {
    return this.#agents.get(id)?.profile;
  }

  dialed(userPart: string): DialedNumber | null {
    return this.numbers.dialed(userPart);
  }

  oldestInboundAgent(): AgentProfile | undefined {
    if (this.#oldestInbound === undefined) {
      this.#oldestInbound = null;
      for (const agent of this.#agents.values()) {
        if (agent.profile.type !== 'inbound') continue;
        if (this.#oldestInbound === null || isOlder(agent, this.#oldestInbound)) this.#oldestInbound = agent;
      }
    }
    return this.#oldestInbound?.profile;
  }
}

/** As the store orders them. */
function isOlder(a: KnownAgent, b: KnownAgent): boolean {
  return a.createdAtMs < b.createdAtMs || (a.createdAtMs === b.createdAtMs && a.profile.id < b.profile.id);
}
