/** The bundle's entry: workflow functions only. */
export { callWorkflow } from './call/workflow';
export { mediaNodeWorkflow } from './node/workflow';
export { numberVerificationWorkflow } from './numbers/workflow';
export { reconcilerWorkflow } from './reconciler/workflow';
