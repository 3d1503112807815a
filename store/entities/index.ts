import { Agent } from './agent';
import { AgentTransferDestination } from './agent-transfer-destination';
import { ApiKey } from './api-key';
import { AuditEntry } from './audit-entry';
import { Call } from './call';
import { CallAttempt } from './call-attempt';
import { CallEventRow } from './call-event';
import { CapacityLease } from './capacity-lease';
import { Campaign } from './campaign';
import { CampaignCallTally } from './campaign-call-tally';
import { CampaignCapacity } from './campaign-capacity';
import { CampaignContact } from './campaign-contact';
import { CampaignEventRow } from './campaign-event';
import { CampaignImport } from './campaign-import';
import { CampaignImportPart } from './campaign-import-part';
import { CampaignTally } from './campaign-tally';
import { ConfigTombstone } from './config-tombstone';
import { ConfigVersion } from './config-version';
import { Contact } from './contact';
import { ContactDecision } from './contact-decision';
import { DncEntry } from './dnc-entry';
import { GlobalDncEntry } from './global-dnc-entry';
import { IdempotencyKey } from './idempotency-key';
import { InboundTrunk } from './inbound-trunk';
import { InboundTrunkNetwork } from './inbound-trunk-network';
import { MediaNode } from './media-node';
import { NumberCodeCall } from './number-code-call';
import { Organisation } from './organisation';
import { OrganisationCapacity } from './organisation-capacity';
import { OutboundTrunk } from './outbound-trunk';
import { PhoneNumber } from './phone-number';
import { QueuedCall } from './queued-call';
import { SipRegistration } from './sip-registration';
import { TranscriptTurnRow } from './transcript-turn';
import { TransferDestination } from './transfer-destination';
import { TrunkCapacityRow } from './trunk-capacity';
import { TrunkHealthRow } from './trunk-health';
import { TrunkProvisioning } from './trunk-provisioning';

export const ENTITIES = [
  Agent,
  AgentTransferDestination,
  ApiKey,
  AuditEntry,
  Call,
  CallAttempt,
  CallEventRow,
  CapacityLease,
  Campaign,
  CampaignCallTally,
  CampaignCapacity,
  CampaignContact,
  CampaignEventRow,
  CampaignImport,
  CampaignImportPart,
  CampaignTally,
  ConfigTombstone,
  ConfigVersion,
  Contact,
  ContactDecision,
  DncEntry,
  GlobalDncEntry,
  IdempotencyKey,
  InboundTrunk,
  InboundTrunkNetwork,
  MediaNode,
  NumberCodeCall,
  Organisation,
  OrganisationCapacity,
  OutboundTrunk,
  PhoneNumber,
  QueuedCall,
  SipRegistration,
  TranscriptTurnRow,
  TransferDestination,
  TrunkCapacityRow,
  TrunkHealthRow,
  TrunkProvisioning,
];
