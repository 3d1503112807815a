/** What the API needs of the store: the parts of its repositories that are called here. */
import type { StoreSession } from '../store/organisation-scope';
import type { AgentRepository } from '../store/repositories/agent-repository';
import type { ApiKeyRepository } from '../store/repositories/api-key-repository';
import type { AuditRepository } from '../store/repositories/audit-repository';
import type { CallRepository } from '../store/repositories/call-repository';
import type { CapacityRepository } from '../store/repositories/capacity-repository';
import type { CampaignContactRepository } from '../store/repositories/campaign-contact-repository';
import type { CampaignImportRepository } from '../store/repositories/campaign-import-repository';
import type { CampaignRepository } from '../store/repositories/campaign-repository';
import type { CampaignResultsRepository } from '../store/repositories/campaign-results-repository';
import type { CallerRepository } from '../store/repositories/caller-repository';
import type { ConfigRepository } from '../store/repositories/config-repository';
import type { ContactRepository } from '../store/repositories/contact-repository';
import type { DncRepository } from '../store/repositories/dnc-repository';
import type { EventRepository } from '../store/repositories/event-repository';
import type { IdempotencyRepository } from '../store/repositories/idempotency-repository';
import type { InboundTrunkRepository } from '../store/repositories/inbound-trunk-repository';
import type { MediaNodeRepository } from '../store/repositories/media-node-repository';
import type { NumberVerificationRepository } from '../store/repositories/number-verification-repository';
import type { OrganisationRepository } from '../store/repositories/organisation-repository';
import type { OutboundTrunkRepository } from '../store/repositories/outbound-trunk-repository';
import type { PhoneNumberRepository } from '../store/repositories/phone-number-repository';
import type { RegistrationRepository } from '../store/repositories/registration-repository';
import type { TransferDestinationRepository } from '../store/repositories/transfer-destination-repository';
import type { TrunkHealthRepository } from '../store/repositories/trunk-health-repository';
import type { RoutingRepository } from '../store/repositories/routing-repository';
import type { TranscriptRepository } from '../store/repositories/transcript-repository';

/** Repositories inside one transaction of one organisation: whatever they are asked, others' rows are not there. */
export interface OrgStore {
  readonly session: StoreSession;
  readonly agents: Pick<AgentRepository, 'list' | 'find' | 'create' | 'update' | 'delete' | 'setOutboundTrunk'>;
  readonly apiKeys: Pick<ApiKeyRepository, 'create' | 'list' | 'revoke' | 'touch'>;
  readonly audit: Pick<AuditRepository, 'add' | 'addWithin' | 'list'>;
  readonly calls: Pick<CallRepository, 'find' | 'list' | 'countOpen' | 'countOpenOnTrunk'>;
  readonly campaigns: Pick<
    CampaignRepository,
    'list' | 'find' | 'findForChange' | 'liveOf' | 'create' | 'update' | 'delete' | 'parts' | 'counts' | 'events'
  >;
  readonly campaignContacts: Pick<
    CampaignContactRepository,
    'list' | 'inOrder' | 'due' | 'countLater' | 'findForChange' | 'change'
  >;
  readonly campaignImports: Pick<
    CampaignImportRepository,
    'begin' | 'add' | 'finish' | 'learn' | 'list' | 'find' | 'parts'
  >;
  readonly campaignResults: Pick<CampaignResultsRepository, 'callCounts' | 'talks' | 'evidence'>;
  readonly callers: Pick<CallerRepository, 'find'>;
  readonly capacity: Pick<CapacityRepository, 'places'>;
  readonly config: Pick<ConfigRepository, 'transaction'>;
  readonly contacts: Pick<ContactRepository, 'list' | 'find' | 'create' | 'update' | 'delete'>;
  readonly dnc: Pick<DncRepository, 'list' | 'add' | 'find' | 'remove'>;
  readonly events: Pick<EventRepository, 'list'>;
  readonly idempotency: Pick<IdempotencyRepository, 'once' | 'lease' | 'leaseNext' | 'complete' | 'release' | 'forget'>;
  readonly inboundTrunks: Pick<
    InboundTrunkRepository,
    'find' | 'create' | 'update' | 'changeNumbers' | 'rotatePassword' | 'delete'
  >;
  readonly organisations: Pick<OrganisationRepository, 'count' | 'create' | 'delete' | 'find' | 'update'>;
  readonly outboundTrunks: Pick<OutboundTrunkRepository, 'list' | 'find' | 'create' | 'update' | 'delete'>;
  readonly phoneNumbers: Pick<
    PhoneNumberRepository,
    'list' | 'find' | 'verified' | 'ofAgent' | 'create' | 'attest' | 'assignToAgent' | 'delete'
  >;
  readonly registrations: Pick<RegistrationRepository, 'ofTrunk' | 'found'>;
  readonly transferDestinations: Pick<
    TransferDestinationRepository,
    'list' | 'credentials' | 'ofAgent' | 'findForChange' | 'create' | 'update' | 'delete' | 'assign' | 'unassign'
  >;
  readonly trunkHealth: Pick<TrunkHealthRepository, 'find'>;
  readonly routing: Pick<RoutingRepository, 'organisation'>;
  readonly verifications: Pick<NumberVerificationRepository, 'confirm' | 'takeCodeCall'>;
  readonly transcripts: Pick<TranscriptRepository, 'list'>;
}

/** See `OrganisationScope`. */
export interface OrgAccess {
  read<T>(work: (org: OrgStore) => Promise<T>): Promise<T>;
  /** `work` is done again when another transaction was in the way: all that it does is in the store. */
  write<T>(work: (org: OrgStore) => Promise<T>): Promise<T>;
}

export interface ApiStore {
  forOrg(orgId: string): OrgAccess;
  /** What there is before or beside an organisation. */
  readonly apiKeys: Pick<ApiKeyRepository, 'admit' | 'purgeRates'>;
  readonly campaigns: Pick<CampaignRepository, 'purge'>;
  readonly idempotency: Pick<IdempotencyRepository, 'purge'>;
  readonly config: Pick<ConfigRepository, 'currentVersion'>;
  readonly mediaNodes: Pick<MediaNodeRepository, 'live' | 'isBehind'>;
  readonly organisations: Pick<OrganisationRepository, 'list'>;
}
