/** The bundle's entry: workflow functions only. */
export { callWorkflow } from './call/workflow';
export { campaignOccasionWorkflow } from './campaign/occasion';
export { campaignWorkflow } from './campaign/workflow';
export { mediaNodeWorkflow } from './node/workflow';
export { numberSyncWorkflow } from './numbers/sync/workflow';
export { numberVerificationWorkflow } from './numbers/workflow';
export { reconcilerWorkflow } from './reconciler/workflow';
export { transferWorkflow } from './transfer/workflow';
export { trunkProvisioningWorkflow } from './trunk/workflow';
export { trunkCheckWorkflow } from './trunk-check/workflow';
