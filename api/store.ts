/** What the API needs of the store: the parts of its repositories that are called here. */
import type { AgentRepository } from '../store/repositories/agent-repository';
import type { ApiKeyRepository } from '../store/repositories/api-key-repository';
import type { AuditRepository } from '../store/repositories/audit-repository';
import type { CallRepository } from '../store/repositories/call-repository';
import type { CallerRepository } from '../store/repositories/caller-repository';
import type { ConfigRepository } from '../store/repositories/config-repository';
import type { ContactRepository } from '../store/repositories/contact-repository';
import type { EventRepository } from '../store/repositories/event-repository';
import type { IdempotencyRepository } from '../store/repositories/idempotency-repository';
import type { InboundTrunkRepository } from '../store/repositories/inbound-trunk-repository';
import type { MediaNodeRepository } from '../store/repositories/media-node-repository';
import type { OrganisationRepository } from '../store/repositories/organisation-repository';
import type { OutboundTrunkRepository } from '../store/repositories/outbound-trunk-repository';
import type { PhoneNumberRepository } from '../store/repositories/phone-number-repository';
import type { TransferDestinationRepository } from '../store/repositories/transfer-destination-repository';
import type { RoutingRepository } from '../store/repositories/routing-repository';
import type { TranscriptRepository } from '../store/repositories/transcript-repository';

export interface ApiStore {
  readonly agents: Pick<AgentRepository, 'list' | 'find' | 'create' | 'update' | 'delete' | 'setOutboundTrunk'>;
  readonly apiKeys: Pick<ApiKeyRepository, 'findByKey' | 'touch'>;
  readonly audit: Pick<AuditRepository, 'add'>;
  readonly calls: Pick<CallRepository, 'find' | 'list' | 'countOpenOnTrunk'>;
  readonly callers: Pick<CallerRepository, 'find'>;
  readonly config: Pick<ConfigRepository, 'transaction'>;
  readonly contacts: Pick<ContactRepository, 'list' | 'find' | 'create' | 'update' | 'delete'>;
  readonly events: Pick<EventRepository, 'list'>;
  readonly idempotency: Pick<
    IdempotencyRepository,
    'once' | 'lease' | 'leaseNext' | 'complete' | 'release' | 'forget' | 'purge'
  >;
  readonly inboundTrunks: Pick<InboundTrunkRepository, 'find' | 'create' | 'update' | 'changeNumbers' | 'delete'>;
  readonly mediaNodes: Pick<MediaNodeRepository, 'live'>;
  readonly organisations: Pick<OrganisationRepository, 'count'>;
  readonly outboundTrunks: Pick<OutboundTrunkRepository, 'list' | 'find' | 'create' | 'update' | 'delete'>;
  readonly phoneNumbers: Pick<
    PhoneNumberRepository,
    'list' | 'find' | 'verified' | 'ofAgent' | 'create' | 'attest' | 'assignToAgent' | 'delete'
  >;
  readonly transferDestinations: Pick<
    TransferDestinationRepository,
    'list' | 'ofAgent' | 'findForChange' | 'create' | 'update' | 'delete' | 'assign' | 'unassign'
  >;
  readonly routing: Pick<RoutingRepository, 'organisation'>;
  readonly transcripts: Pick<TranscriptRepository, 'list'>;
}
