import type { OutboundTrunkProfile } from '../contract/directory';
import type { BindingStore, RegisteredContacts, RegisteredTrunk } from '../contract/registration';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import { isEndpointOf, sipAddress } from '../ops/sip-address';
import type { SipListening } from '../ops/sip-address';
import type { RegistrationRepository } from '../store/repositories/registration-repository';
import type { ConfigSnapshot } from './config-snapshot';
import { reachableFrom } from './registered-contacts';

interface RegistrationsOptions {
  readonly nodeId: string;
  readonly listening: SipListening;
  readonly repository: Pick<RegistrationRepository, 'update' | 'found' | 'isNodeAddress'>;
  readonly snapshot: Pick<ConfigSnapshot, 'inboundTrunk'>;
  readonly logger: Logger;
}

/** Of the 3 s that a dial has. */
const LOOK_LIMIT_MS = 1_000;

/** The registrations of all trunks, in PostgreSQL, for the registrar of this node and for its dials. */
export class Registrations implements BindingStore {
  readonly nodeId: string;
  readonly #options: RegistrationsOptions;

  constructor(options: RegistrationsOptions) {
    this.nodeId = options.nodeId;
    this.#options = options;
  }

  update(...[trunk, change]: Parameters<BindingStore['update']>): Promise<boolean> {
    return this.#options.repository.update(trunk, change);
  }

  /**
   * Null for a trunk that leads to somebody else. One leads to us whose host is our endpoint and whose user name is that
   * of its organisation's own inbound trunk: what an inbound trunk shows as `sip_endpoint` and `auth_username`.
   */
  contacts(
    trunk: OutboundTrunkProfile,
    askedInVain: readonly string[] = [],
  ): Promise<RegisteredContacts | null> | null {
    const inbound = this.#options.snapshot.inboundTrunk(trunk.username);
    if (inbound === undefined || inbound.orgId !== trunk.orgId) return null;
    return this.#contacts(trunk, { trunkId: inbound.id, orgId: inbound.orgId }, askedInVain);
  }

  async #contacts(
    trunk: OutboundTrunkProfile,
    { trunkId, orgId }: RegisteredTrunk,
    askedInVain: readonly string[],
  ): Promise<RegisteredContacts | null> {
    const { repository, listening, logger, nodeId } = this.#options;
    const look = async (): Promise<RegisteredContacts | null> => {
      const own = isEndpointOf(listening, trunk) || (await repository.isNodeAddress(sipAddress(trunk)));
      return own ? reachableFrom(nodeId, await repository.found(orgId, trunkId), askedInVain) : null;
    };
    try {
      return await withDeadline(look(), LOOK_LIMIT_MS);
    } catch (error) {
      logger.warn({ err: error, trunkId }, 'registrations cannot be read');
      return { kind: 'unknown' };
    }
  }
}
