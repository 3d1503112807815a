import type { MigrationInterface } from 'typeorm';
import { Initial1764000000000 } from './1764000000000-initial';
import { IdempotencyAge1764000100000 } from './1764000100000-idempotency-age';
import { CallPrivacy1764000200000 } from './1764000200000-call-privacy';
import { NamesPortlessTrunk1764000250000 } from './1764000250000-names-portless-trunk';
import { DurableLostBoots1764340000000 } from './1764340000000-durable-lost-boots';
import { DurableNodeCallLists1764340100000 } from './1764340100000-durable-node-call-lists';
import { MediaTimeout1764400000000 } from './1764400000000-media-timeout';
import { TransferDestinations1764500000000 } from './1764500000000-transfer-destinations';
import { Contacts1764500100000 } from './1764500100000-contacts';
import { RoutingOfCalls1764520300000 } from './1764520300000-routing-of-calls';
import { TenancyOrganisations1764530000000 } from './1764530000000-tenancy-organisations';
import { NodesConfigVersion1764540000000 } from './1764540000000-nodes-config-version';
import { RotationOfCredentials1764550000000 } from './1764550000000-rotation-of-credentials';
import { ListsIndexes1764560000000 } from './1764560000000-lists-indexes';
import { LimitsKeyRates1764570000000 } from './1764570000000-limits-key-rates';
import { TrunksProvisioning1764600100000 } from './1764600100000-trunks-provisioning';
import { NumberVerification1764600200000 } from './1764600200000-number-verification';
import { Registrations1764600300000 } from './1764600300000-registrations';
import { HealthTrunks1764600400000 } from './1764600400000-health-trunks';
import { TrunkSettings1764600600000 } from './1764600600000-trunk-settings';
import { SpeedOfRequests1764600700000 } from './1764600700000-speed-of-requests';
import { RatesOfBusyKeys1764600800000 } from './1764600800000-rates-of-busy-keys';
import { TransfersOfCalls1764600900000 } from './1764600900000-transfers-of-calls';
import { KeysOfDestinations1764601000000 } from './1764601000000-keys-of-destinations';
import { DtmfMode1764601300000 } from './1764601300000-dtmf-mode';
import { CapacityLedger1764601500000 } from './1764601500000-capacity-ledger';
import { ScheduledCalls1764601510000 } from './1764601510000-scheduled-calls';
import { Campaigns1764601600000 } from './1764601600000-campaigns';
import { CampaignDialling1764601700000 } from './1764601700000-campaign-dialling';
import { CampaignCalls1764601710000 } from './1764601710000-campaign-calls';
import { CampaignControl1764601720000 } from './1764601720000-campaign-control';
import { OptOuts1764601730000 } from './1764601730000-opt-outs';
import { CampaignCallTallies1764601730010 } from './1764601730010-campaign-call-tallies';
import { AdmittedContacts1764601740000 } from './1764601740000-admitted-contacts';
import { AdmissionAtOneLook1764601750000 } from './1764601750000-admission-at-one-look';
import { RulesOutsideCampaigns1764601760000 } from './1764601760000-rules-outside-campaigns';
import { LiveCallsOfNumbers1764601770000 } from './1764601770000-live-calls-of-numbers';
import { TalliesByReason1764601780000 } from './1764601780000-tallies-by-reason';
import { VacuumOfBusyTables1764601790000 } from './1764601790000-vacuum-of-busy-tables';

/** In order; a migration that was ever released is never changed. */
export const MIGRATIONS: (new () => MigrationInterface)[] = [
  Initial1764000000000,
  IdempotencyAge1764000100000,
  CallPrivacy1764000200000,
  NamesPortlessTrunk1764000250000,
  DurableLostBoots1764340000000,
  DurableNodeCallLists1764340100000,
  MediaTimeout1764400000000,
  TransferDestinations1764500000000,
  Contacts1764500100000,
  RoutingOfCalls1764520300000,
  TenancyOrganisations1764530000000,
  NodesConfigVersion1764540000000,
  RotationOfCredentials1764550000000,
  ListsIndexes1764560000000,
  LimitsKeyRates1764570000000,
  TrunksProvisioning1764600100000,
  NumberVerification1764600200000,
  Registrations1764600300000,
  HealthTrunks1764600400000,
  TrunkSettings1764600600000,
  SpeedOfRequests1764600700000,
  RatesOfBusyKeys1764600800000,
  TransfersOfCalls1764600900000,
  KeysOfDestinations1764601000000,
  DtmfMode1764601300000,
  CapacityLedger1764601500000,
  ScheduledCalls1764601510000,
  Campaigns1764601600000,
  CampaignDialling1764601700000,
  CampaignCalls1764601710000,
  CampaignControl1764601720000,
  OptOuts1764601730000,
  CampaignCallTallies1764601730010,
  AdmittedContacts1764601740000,
  AdmissionAtOneLook1764601750000,
  RulesOutsideCampaigns1764601760000,
  LiveCallsOfNumbers1764601770000,
  TalliesByReason1764601780000,
  VacuumOfBusyTables1764601790000,
];
