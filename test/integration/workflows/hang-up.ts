import type { HangupCause } from '../../../contract/endings';
import { controlUpdate } from '../../../workflows/call/messages';
import type { ControlRequest, ControlResult } from '../../../workflows/call/messages';
import type { WorkflowEnvironment } from './environment';

const BY_API: HangupCause = { endReason: 'api_hangup', endedBy: 'api' };

/** As the API does it. */
export async function hangUp(env: WorkflowEnvironment, callId: string): Promise<ControlResult> {
  return await ask(env, callId, { commandId: 'hangup', control: { type: 'hangup', ...BY_API } });
}

/** As a campaign that is canceled does it: who talks goes on talking. */
export async function giveUp(env: WorkflowEnvironment, callId: string): Promise<ControlResult> {
  return await ask(env, callId, { commandId: 'give-up', control: { type: 'hangup', unanswered: true, ...BY_API } });
}

function ask(env: WorkflowEnvironment, callId: string, request: ControlRequest): Promise<ControlResult> {
  return env.handle(callId).executeUpdate<ControlResult, [ControlRequest]>(controlUpdate, { args: [request] });
}
