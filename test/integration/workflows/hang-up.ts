import type { HangupCause } from '../../../contract/endings';
import { controlUpdate } from '../../../workflows/call/messages';
import type { ControlRequest, ControlResult } from '../../../workflows/call/messages';
import type { WorkflowEnvironment } from './environment';

const BY_API: HangupCause = { endReason: 'api_hangup', endedBy: 'api' };

/** As the API does it. */
export async function hangUp(env: WorkflowEnvironment, callId: string): Promise<ControlResult> {
  const request: ControlRequest = { commandId: 'hangup', control: { type: 'hangup', ...BY_API } };
  return await env.handle(callId).executeUpdate<ControlResult, [ControlRequest]>(controlUpdate, { args: [request] });
}
