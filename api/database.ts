/** The API's data source: it may come up after the API does and go away under it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';

import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { RetryOptions } from '../ops/retry';
import { Semaphore } from '../ops/semaphore';
import { wasInTheWay } from '../store/errors';
import { OrganisationScope } from '../store/organisation-scope';
import type { StoreSession } from '../store/organisation-scope';
import type { SecretBox } from '../store/secrets';
import { AgentRepository } from '../store/repositories/agent-repository';
import { ApiKeyRepository } from '../store/repositories/api-key-repository';
import { AuditRepository } from '../store/repositories/audit-repository';
import { CallRepository } from '../store/repositories/call-repository';
import { CampaignContactRepository } from '../store/repositories/campaign-contact-repository';
import { CampaignImportRepository } from '../store/repositories/campaign-import-repository';
import { CampaignRepository } from '../store/repositories/campaign-repository';
import { CampaignResultsRepository } from '../store/repositories/campaign-results-repository';
import { CallerRepository } from '../store/repositories/caller-repository';
import { CapacityRepository } from '../store/repositories/capacity-repository';
import { ConfigRepository } from '../store/repositories/config-repository';
import { ContactRepository } from '../store/repositories/contact-repository';
import { DncRepository } from '../store/repositories/dnc-repository';
import { EventRepository } from '../store/repositories/event-repository';
import { IdempotencyRepository } from '../store/repositories/idempotency-repository';
import { InboundTrunkRepository } from '../store/repositories/inbound-trunk-repository';
import { MediaNodeRepository } from '../store/repositories/media-node-repository';
import { NumberVerificationRepository } from '../store/repositories/number-verification-repository';
import { OrganisationRepository } from '../store/repositories/organisation-repository';
import { OutboundTrunkRepository } from '../store/repositories/outbound-trunk-repository';
import { PhoneNumberRepository } from '../store/repositories/phone-number-repository';
import { RegistrationRepository } from '../store/repositories/registration-repository';
import { TransferDestinationRepository } from '../store/repositories/transfer-destination-repository';
import { TrunkHealthRepository } from '../store/repositories/trunk-health-repository';
import { RoutingRepository } from '../store/repositories/routing-repository';
import { TranscriptRepository } from '../store/repositories/transcript-repository';
import { unavailable } from './errors';
import type { Authenticator } from './middleware/auth';
import type { ApiStore, OrgStore } from './store';

/** Of transactions that wait for each other PostgreSQL undoes one; the other goes on, so that this one need not pause. */
const IN_THE_WAY: RetryOptions = { pauseMs: 0, maximumFailures: 5, passes: wasInTheWay };
/** Of the pool's connections. */
const SHARE_OF_CHANGES = 0.5;
/** As long as anybody waits for a connection (`main.ts`). */
const TURN_MS = 1500;
const RETRY_MS = 500;
const PURGE_EVERY_MS = 3_600_000;

export function createApiStore(dataSource: DataSource, secrets: SecretBox): ApiStore {
  const inTurn = turnsOfChanges(dataSource.options.poolSize ?? 10);
  return {
    forOrg: (orgId) => {
      const scope = new OrganisationScope(dataSource, orgId);
      return {
        read: (work) => scope.read((session) => work(orgStore(session, secrets))),
        write: (work) =>
          inTurn(() => retry(() => scope.write((session) => work(orgStore(session, secrets))), IN_THE_WAY)),
      };
    },
    apiKeys: new ApiKeyRepository(dataSource, secrets),
    campaigns: new CampaignRepository(dataSource),
    config: new ConfigRepository(dataSource),
    idempotency: new IdempotencyRepository(dataSource, secrets),
    mediaNodes: new MediaNodeRepository(dataSource),
    organisations: new OrganisationRepository(dataSource),
  };
}

/**
 * Changes wait for the disk and for each other, with their connections: some are left to those who only read, and to the
 * keys of all requests.
 */
function turnsOfChanges(poolSize: number): <T>(change: () => Promise<T>) => Promise<T> {
  const turns = new Semaphore(Math.max(1, Math.floor(poolSize * SHARE_OF_CHANGES)));
  return async (change) => {
    if (!(await turns.acquire({ maxWaitMs: TURN_MS }))) {
      throw unavailable('database_unavailable', 'The database is busy with other changes; nothing was done');
    }
    try {
      return await change();
    } finally {
      turns.release();
    }
  };
}

function orgStore(session: StoreSession, secrets: SecretBox): OrgStore {
  return {
    session,
    agents: new AgentRepository(session),
    apiKeys: new ApiKeyRepository(session, secrets),
    audit: new AuditRepository(session),
    calls: new CallRepository(session),
    campaigns: new CampaignRepository(session),
    campaignContacts: new CampaignContactRepository(session),
    campaignImports: new CampaignImportRepository(session),
    campaignResults: new CampaignResultsRepository(session),
    callers: new CallerRepository(session),
    capacity: new CapacityRepository(session),
    config: new ConfigRepository(session),
    contacts: new ContactRepository(session),
    dnc: new DncRepository(session),
    events: new EventRepository(session, secrets),
    idempotency: new IdempotencyRepository(session, secrets),
    inboundTrunks: new InboundTrunkRepository(session, secrets),
    organisations: new OrganisationRepository(session),
    outboundTrunks: new OutboundTrunkRepository(session, secrets),
    phoneNumbers: new PhoneNumberRepository(session),
    registrations: new RegistrationRepository(session),
    routing: new RoutingRepository(session),
    verifications: new NumberVerificationRepository(session),
    transcripts: new TranscriptRepository(session, secrets),
    transferDestinations: new TransferDestinationRepository(session, secrets),
    trunkHealth: new TrunkHealthRepository(session),
  };
}

/** Tries until the database answers; rejects when `signal` is aborted before. */
export async function connectDatabase(dataSource: DataSource, logger: Logger, signal: AbortSignal): Promise<void> {
  let attempt = 1;
  await retry(() => dataSource.initialize(), {
    pauseMs: RETRY_MS,
    signal,
    onFailure: (error, failures) => {
      if (failures === 1) logger.warn({ err: error }, 'database not reachable, trying again');
      attempt = failures + 1;
    },
  });
  logger.info({ attempt }, 'database connected');
}

/** Every request that needs the database passes here first: before the first connection it is told so. */
export function whenConnected(dataSource: DataSource, authenticator: Authenticator): Authenticator {
  return {
    authenticate: async (...request) => {
      if (!dataSource.isInitialized) throw unavailable('database_unavailable', 'The database is not reachable');
      return authenticator.authenticate(...request);
    },
  };
}

/** Sealed answers of old requests, rates of idle keys and contacts of deleted campaigns do not stay for ever: once an hour, until `signal` is aborted. */
export async function purgeHourly(
  store: Pick<ApiStore, 'apiKeys' | 'campaigns' | 'idempotency'>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await store.apiKeys.purgeRates();
      for (let removed = 1; removed > 0 && !signal.aborted;) removed = await store.idempotency.purge();
      for (let removed = 1; removed > 0 && !signal.aborted;) removed = await store.campaigns.purge();
    } catch (error) {
      logger.warn({ err: error }, 'what is old or deleted is removed later');
    }
    await sleep(PURGE_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
