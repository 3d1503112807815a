import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import type { NodePresence } from '../../contract/nodes';
import { openDetails } from '../../store/call-details';
import type { SealedCallDetails } from '../../store/call-details';
import { attemptIdOf } from '../../store/ids';
import type { CallRepository, FinaliseResult } from '../../store/repositories/call-repository';
import type { MediaNodeRecord, MediaNodeRepository } from '../../store/repositories/media-node-repository';
import { SecretError } from '../../store/secrets';
import type { SecretBox } from '../../store/secrets';
import type { CallStoreActivities, FinalRecord } from '../../workflows/call/activities';
import type { CallInput } from '../../workflows/call/input';
import { newCall } from '../new-call';

const POLL_RECORDS_MS = 250;
/** With PostgreSQL just back, nodes need a moment to empty their spools. */
const SPOOL_GRACE_MS = 3_000;

export interface StoreActivityDeps {
  readonly calls: CallRepository;
  readonly nodes: MediaNodeRepository;
  readonly secrets: SecretBox;
}

/** The projection of calls. Every write may be repeated, also while an earlier try of it is still under way. */
export function createStoreActivities(deps: StoreActivityDeps): CallStoreActivities {
  const { calls, nodes } = deps;

  async function recordCall(input: CallInput): Promise<void> {
    await calls.insertCall(newCall(input, detailsOf(deps.secrets, input)));
  }

  async function close(record: FinalRecord, truncated: boolean): Promise<void> {
    const { ending, sipCallId, attempt: last } = record;
    const attempt = last === null ? null : { attemptId: attemptIdOf(record.callId, last.n), state: last.state };
    const sip = sipCallId === null ? null : { sipCallId, finalStatus: null, reason: null, q850: null };
    const ended = { ...record, ending: { ...ending, sip: ending.sip ?? sip }, truncated };
    const finalise = (): Promise<FinaliseResult> => calls.finaliseCall(ended, { undialled: attempt === null, attempt });
    let result = await finalise();
    if (result === 'missing' && record.begun !== undefined) {
      await recordCall(record.begun);
      result = await finalise();
    }
    if (result === 'missing') throw new Error('the call has no row to close');
  }

  return {
    recordCall,

    async recordSchedule({ callId, scheduledAtMs, expiresAtMs }) {
      await calls.reschedule(callId, scheduledAtMs, expiresAtMs);
    },

    async recordAnswered({ callId, nodeId, bootId, sipCallId, answeredAtMs }) {
      await calls.markStatus(callId, 'in_progress', { nodeId, bootId, sipCallId, answeredAtMs });
    },

    async recordPlaced({ callId, ...place }) {
      await calls.markStatus(callId, 'dialing', place);
    },

    async recordedAnswer(callId) {
      return (await calls.recordedAnswers([callId])).get(callId) ?? null;
    },

    async finaliseCall(record) {
      if (record.lastSeq !== null && !(await calls.recordsComplete(record.callId, record.lastSeq))) return false;
      await close(record, record.truncated);
      return true;
    },

    async finaliseWhenRecorded(record, waitUntilMs) {
      const complete = async (): Promise<boolean> =>
        record.lastSeq === null || (await calls.recordsComplete(record.callId, record.lastSeq));
      let recorded = await complete();
      const untilMs = Math.max(waitUntilMs, Date.now() + SPOOL_GRACE_MS);
      while (!recorded && Date.now() < untilMs) {
        await sleep(POLL_RECORDS_MS);
        recorded = await complete();
      }
      await close(record, record.truncated || !recorded);
    },

    async liveNodes() {
      return (await nodes.live(NODE_SILENCE_MS)).map(presence);
    },

    declareLost(boot) {
      return nodes.declareLost(boot);
    },

    async nodePresence(nodeId) {
      const node = await nodes.find(nodeId);
      return node === null ? null : presence(node);
    },
  };
}

function detailsOf(secrets: SecretBox, input: CallInput): SealedCallDetails {
  try {
    return openDetails(secrets, input);
  } catch (error) {
    // A lost key must not keep the call from having a record.
    if (error instanceof SecretError) return { from: '', to: '', firstMessage: null, metadata: {} };
    throw error;
  }
}

function presence({ nodeId, bootId, ageMs }: MediaNodeRecord): NodePresence {
  return { nodeId, bootId, silentMs: ageMs };
}
