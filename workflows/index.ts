/** The bundle's entry: workflow functions only. */
export { callWorkflow } from './call/workflow';
export { mediaNodeWorkflow } from './node/workflow';
export { reconcilerWorkflow } from './reconciler/workflow';
export { trunkCheckWorkflow } from './trunk-check/workflow';
