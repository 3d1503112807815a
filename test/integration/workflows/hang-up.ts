import { hangupUpdate } from '../../../workflows/call/messages';
import type { HangupRequest, HangupResult } from '../../../workflows/call/types';
import type { WorkflowEnvironment } from './environment';

const BY_API: HangupRequest = { endReason: 'api_hangup', endedBy: 'api' };

/** As the API does it. */
export async function hangUp(env: WorkflowEnvironment, callId: string): Promise<HangupResult> {
  return await env.handle(callId).executeUpdate<HangupResult, [HangupRequest]>(hangupUpdate, { args: [BY_API] });
}
