/** What the worker of an environment runs, made as the worker's process makes it. */
import { createCampaignActivities } from '../../../activities/campaigns/campaign-activities';
import { createCampaignGuards } from '../../../activities/campaigns/campaign-guards';
import { createVerificationActivities } from '../../../activities/numbers/verification-activities';
import { createNumberSyncActivities } from '../../../activities/provisioning/number-sync-activities';
import { createTrunkActivities } from '../../../activities/provisioning/trunk-activities';
import { createReconcileActivities } from '../../../activities/reconcile/reconcile-activities';
import { createStoreActivities } from '../../../activities/store/store-activities';
import { createTransferActivities } from '../../../activities/transfers/transfer-activities';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignGuardRepository } from '../../../store/repositories/campaign-guard-repository';
import { CampaignPaceRepository } from '../../../store/repositories/campaign-pace-repository';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { NodeCallListRepository } from '../../../store/repositories/node-call-list-repository';
import { NumberVerificationRepository } from '../../../store/repositories/number-verification-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { TransferDestinationRepository } from '../../../store/repositories/transfer-destination-repository';
import { TransferRepository } from '../../../store/repositories/transfer-repository';
import { TrunkProvisioningRepository } from '../../../store/repositories/trunk-provisioning-repository';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { CampaignSchedules } from '../../../workflows/client/campaign-schedules';
import { NumberWorkflows } from '../../../workflows/client/number-workflows';
import type { WorkflowEnvironment } from './environment';

/** Of the main queue. */
export function mainActivities(env: WorkflowEnvironment) {
  const { client, calls, dataSource: session, logger, secrets, settled, passes, trunks } = env;
  const nodes = new MediaNodeRepository(session);
  const lists = new NodeCallListRepository(session);
  const provisioning = new TrunkProvisioningRepository(session);
  const config = new ConfigRepository(session);
  const verifications = new NumberVerificationRepository(session);
  const numberWorkflows = new NumberWorkflows({ client, limitMs: 10_000 });
  const sweeps = [() => env.sweep()];
  const outboundTrunks = new OutboundTrunkRepository(session, secrets);
  const transfers = new TransferRepository(session);
  const transferActivities = createTransferActivities({
    transfers,
    calls,
    secrets,
    plans: {
      store: {
        forOrg: () => ({
          read: (work) =>
            work({
              agents: new AgentRepository(session),
              callers: new CallerRepository(session),
              transferDestinations: new TransferDestinationRepository(session, secrets),
            }),
        }),
      },
      allowedCountries: [],
      mayReach: () => true,
    },
    finished: env.transfers,
    seconds: env.transferSeconds,
  });
  return {
    ...createStoreActivities({
      calls,
      nodes,
      secrets,
    }),
    ...createVerificationActivities({
      config,
      verifications,
      trunks: outboundTrunks,
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
      campaigns: new CampaignRunRepository(session),
      dialling: new CampaignDiallingRepository(session),
      calls: new CallWorkflows({ client, limitMs: 10_000 }),
      schedules: new CampaignSchedules(client),
      workflows: env.campaigns,
    }),
    ...createTrunkActivities({ session, secrets, provisioning, nodes }),
    ...createNumberSyncActivities({ session, secrets }),
  };
}

/** Of the queue that dials for campaigns. */
export function diallingActivities(env: WorkflowEnvironment) {
  return {
    ...env.dialDue,
    ...createCampaignGuards({
      paces: new CampaignPaceRepository(env.dataSource),
      guards: new CampaignGuardRepository(env.dataSource),
    }),
    ...(env.plannedDialDue === undefined ? {} : { dialDue: env.plannedDialDue }),
  };
}
