import { join } from 'node:path';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { DeadlineError, withDeadline } from '../ops/deadline';
import { OpsServer } from '../ops/http-server';
import { createLogger } from '../ops/logger';
import { PersistentWorker } from '../ops/persistent-worker';
import { reachableHosts } from '../ops/private-host';
import { retry } from '../ops/retry';
import { Shutdown } from '../ops/shutdown';
import { createTemporalClient } from '../ops/temporal-client';
import { connectWorker, installRuntime } from '../ops/temporal-worker';
import { createDataSource } from '../store/data-source';
import { AgentRepository } from '../store/repositories/agent-repository';
import { CallRepository } from '../store/repositories/call-repository';
import { CampaignContactRepository } from '../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../store/repositories/campaign-dialling-repository';
import { CampaignStandingRepository } from '../store/repositories/campaign-standing-repository';
import { CallerRepository } from '../store/repositories/caller-repository';
import { CampaignGuardRepository } from '../store/repositories/campaign-guard-repository';
import { CampaignPaceRepository } from '../store/repositories/campaign-pace-repository';
import { CampaignRunRepository } from '../store/repositories/campaign-run-repository';
import { ConfigRepository } from '../store/repositories/config-repository';
import { MediaNodeRepository } from '../store/repositories/media-node-repository';
import { NodeCallListRepository } from '../store/repositories/node-call-list-repository';
import { NumberVerificationRepository } from '../store/repositories/number-verification-repository';
import { OutboundTrunkRepository } from '../store/repositories/outbound-trunk-repository';
import { TransferDestinationRepository } from '../store/repositories/transfer-destination-repository';
import { TransferRepository } from '../store/repositories/transfer-repository';
import { TrunkProvisioningRepository } from '../store/repositories/trunk-provisioning-repository';
import { SecretBox } from '../store/secrets';
import { CallWorkflows } from '../workflows/client/call-workflows';
import { CampaignSchedules } from '../workflows/client/campaign-schedules';
import { CampaignWorkflows } from '../workflows/client/campaign-workflows';
import { NumberWorkflows } from '../workflows/client/number-workflows';
import { TrunkWorkflows } from '../workflows/client/trunk-workflows';
import { createCampaignActivities } from './campaigns/campaign-activities';
import { createCampaignGuards } from './campaigns/campaign-guards';
import { CampaignNotifier } from './campaigns/campaign-notifier';
import { sweepCampaigns } from './campaigns/campaign-sweep';
import { createCampaignWorker } from './campaigns/campaign-worker';
import { createDialDue } from './campaigns/dial-due';
import { readWorkerConfig } from './config';
import { createMainWorker } from './main-worker';
import { createVerificationActivities } from './numbers/verification-activities';
import { sweepVerifications } from './numbers/verification-sweep';
import { createNumberSyncActivities } from './provisioning/number-sync-activities';
import { createTrunkActivities } from './provisioning/trunk-activities';
import { createReconcileActivities } from './reconcile/reconcile-activities';
import { ensureReconcilerSchedule } from './reconciler-schedule';
import { createStoreActivities } from './store/store-activities';
import { createTransferActivities } from './transfers/transfer-activities';
import type { TransferActivityDeps } from './transfers/transfer-activities';
import { watchTurns } from './workflow-turns';

const RETRY_MS = 1_000;
const TEMPORAL_LIMIT_MS = 10_000;
const RUNTIME_END_MS = 3_000;
/** To tell one trunk's workflow something. */
const TRUNK_LIMIT_MS = 5_000;

async function main(): Promise<void> {
  const config = readWorkerConfig();
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  const shutdown = new Shutdown({ logger }).listen();
  try {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const settled = new Counter({
      name: 'trunkline_reconciled_calls_total',
      help: 'Calls the reconciler had to settle, by cause',
      labelNames: ['cause'] as const,
      registers: [registry],
    });

    const passes = new Counter({
      name: 'trunkline_reconciler_passes_total',
      help: 'Comparisons of store, workflows and media nodes',
      registers: [registry],
    });

    // Also while a server is away the process says that it lives.
    let isRunning = (): boolean => false;
    const server = new OpsServer({
      host: config.http.host,
      port: config.http.port,
      registry,
      readiness: () => ({ ready: isRunning(), checks: { worker: isRunning() ? 'ok' : 'not running' } }),
    });
    await server.listen();
    shutdown.add('health server', () => server.close());

    const dataSource = createDataSource({
      url: config.databaseUrl,
      applicationName: 'trunkline worker',
      onPoolError: (error) => logger.warn({ err: error }, 'connection to PostgreSQL lost'),
    });
    await retry(() => dataSource.initialize(), {
      pauseMs: RETRY_MS,
      signal: shutdown.requested,
      onFailure: (error) => logger.warn({ err: error }, 'PostgreSQL is not reachable yet'),
    });
    shutdown.requested.throwIfAborted();
    shutdown.add('postgres', () => dataSource.destroy());
    const secrets = new SecretBox(config.secretsKey);

    // Its workflows go on with the worker that takes the place of this one.
    const turns = watchTurns(() => shutdown.fail(new Error('a workflow does not come to the end of its turn')));
    shutdown.add('watch of the workflows', () => turns.close());
    const runtime = installRuntime(logger);
    shutdown.add('temporal runtime', () => endRuntime(runtime));
    const temporal = createTemporalClient(config.temporal);
    shutdown.add('temporal client', () => temporal.close());

    const nodes = new MediaNodeRepository(dataSource);
    const lists = new NodeCallListRepository(dataSource);
    const { client } = temporal;
    const campaignWorkflows = new CampaignWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS });
    const notifier = new CampaignNotifier({ workflows: campaignWorkflows, logger });
    shutdown.add('campaign notifier', () => notifier.close());
    const calls = new CallRepository(dataSource, notifier);
    const provisioning = new TrunkProvisioningRepository(dataSource);
    const trunks = new TrunkWorkflows({ client, limitMs: TRUNK_LIMIT_MS });
    const configuration = new ConfigRepository(dataSource);
    const verifications = new NumberVerificationRepository(dataSource);
    const numberWorkflows = new NumberWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS });
    const campaigns = new CampaignRunRepository(dataSource);
    const sweeps = [
      () => sweepVerifications({ config: configuration, verifications, workflows: numberWorkflows }),
      () => sweepCampaigns({ campaigns, workflows: campaignWorkflows }),
    ];
    // Of the whole store: what a plan asks names its organisation.
    const planStore = {
      agents: new AgentRepository(dataSource),
      callers: new CallerRepository(dataSource),
      transferDestinations: new TransferDestinationRepository(dataSource, secrets),
    };
    const transfers = new TransferRepository(dataSource);
    const transferActivities = createTransferActivities({
      transfers,
      calls,
      secrets,
      plans: {
        store: { forOrg: () => ({ read: (work) => work(planStore) }) },
        allowedCountries: config.outboundAllowedCountries,
        mayReach: reachableHosts(config.allowPrivateTargets),
      },
      ...transferMetrics(registry),
    });
    const activities = {
      ...createStoreActivities({
        calls,
        nodes,
        secrets,
      }),
      ...createVerificationActivities({
        config: configuration,
        verifications,
        trunks: new OutboundTrunkRepository(dataSource, secrets),
        secrets,
        workflows: numberWorkflows,
      }),
      ...createReconcileActivities({
        client,
        calls,
        nodes,
        lists,
        transfers,
        transferActivities,
        passes,
        settled,
        provisioning,
        trunks,
        sweeps,
        logger,
      }),
      ...transferActivities,
      ...createCampaignActivities({
        campaigns,
        dialling: new CampaignDiallingRepository(dataSource),
        calls: new CallWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS }),
        schedules: new CampaignSchedules(client),
        workflows: campaignWorkflows,
      }),
      ...createTrunkActivities({ session: dataSource, secrets, provisioning, nodes }),
      ...createNumberSyncActivities({ session: dataSource, secrets }),
    };
    const campaignActivities = {
      ...createCampaignGuards({
        paces: new CampaignPaceRepository(dataSource),
        guards: new CampaignGuardRepository(dataSource),
      }),
      ...createDialDue({
        contacts: new CampaignContactRepository(dataSource),
        dialling: new CampaignDiallingRepository(dataSource),
        standings: new CampaignStandingRepository(dataSource),
        callers: planStore.callers,
        workflows: new CallWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS }),
        secrets,
        allowedCountries: config.outboundAllowedCountries,
      }),
    };
    const worker = new PersistentWorker({
      name: 'main',
      logger,
      connect: () => connectWorker(config.temporal, { signal: shutdown.requested }),
      create: (connection) =>
        createMainWorker({
          connection,
          namespace: config.temporal.namespace,
          identity: config.identity,
          workflowBundle: { codePath: join(__dirname, '..', 'workflow-bundle.js') },
          activities,
          maxCachedWorkflows: config.maxCachedWorkflows,
          maxActivities: config.maxActivities,
        }),
    });

    const campaignWorker = new PersistentWorker({
      name: 'campaigns',
      logger,
      connect: () => connectWorker(config.temporal, { signal: shutdown.requested }),
      create: (connection) =>
        createCampaignWorker({
          connection,
          namespace: config.temporal.namespace,
          identity: config.identity,
          activities: campaignActivities,
        }),
    });

    isRunning = () => worker.running && campaignWorker.running;
    shutdown.add('worker', async () => void (await Promise.all([worker.shutdown(), campaignWorker.shutdown()])));
    await Promise.all([worker.start(), campaignWorker.start()]);
    logger.info({ httpPort: server.port }, 'worker runs');
    await retry(() => ensureReconcilerSchedule(temporal.client), {
      pauseMs: RETRY_MS,
      signal: shutdown.requested,
      onFailure: (error) => logger.warn({ err: error }, 'the reconciler is not scheduled yet'),
    });
  } catch (error) {
    if (!shutdown.requested.aborted) shutdown.fail(error);
  }
}

function transferMetrics(registry: Registry): Pick<TransferActivityDeps, 'finished' | 'seconds'> {
  const registers = [registry];
  return {
    finished: new Counter({
      name: 'trunkline_transfers_total',
      help: 'Transfers of calls that were tried, by the way and by what came of it',
      labelNames: ['mode', 'outcome'] as const,
      registers,
    }),
    seconds: new Histogram({
      name: 'trunkline_transfer_seconds',
      help: 'From the request of a transfer to its outcome, by the way',
      labelNames: ['mode'] as const,
      buckets: [0.5, 1, 2, 5, 10, 20, 30, 60, 120],
      registers,
    }),
  };
}

/** It waits for activities that do not end; the process does not. */
async function endRuntime(runtime: ReturnType<typeof installRuntime>): Promise<void> {
  try {
    await withDeadline(runtime.shutdown(), RUNTIME_END_MS);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
