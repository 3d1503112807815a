import type { HangupCause } from '../../../contract/endings';
import { hangupUpdate } from '../../../workflows/call/messages';
import type { HangupResult } from '../../../workflows/call/messages';
import type { WorkflowEnvironment } from './environment';

const BY_API: HangupCause = { endReason: 'api_hangup', endedBy: 'api' };

/** As the API does it. */
export async function hangUp(env: WorkflowEnvironment, callId: string): Promise<HangupResult> {
  return await env.handle(callId).executeUpdate<HangupResult, [HangupCause]>(hangupUpdate, { args: [BY_API] });
}
