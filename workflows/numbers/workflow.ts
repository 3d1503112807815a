import {
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { NumberStatus, VerificationRound } from '../../contract/number-verification';
import { MAIN_TASK_QUEUE } from '../ids';
import type { NumberVerificationActivities, RoundEnd } from './activities';
import { CodeCall } from './code-call';
import { beginRoundSignal, numberCalledSignal, roundOverSignal } from './messages';
import { RoundProgress } from './round-progress';

export interface VerificationResult {
  /** Null when the round ended elsewhere: its code was confirmed, or used up, or the number given up. */
  readonly status: NumberStatus | null;
}

const store = (summary: string): ReturnType<typeof proxyActivities<NumberVerificationActivities>> =>
  proxyActivities<NumberVerificationActivities>({
    taskQueue: MAIN_TASK_QUEUE,
    startToCloseTimeout: '20s',
    retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
    summary,
  });

/**
 * Verifies one number: calls it with a code, or waits for a call to it, and ends the round when its time is up. Codes are
 * compared, and the tries counted, in the number's record (`POST /phone/numbers/{id}/confirm`); this hears of the end.
 *
 * One run at a time of each number, over as many rounds as are begun while it runs.
 */
export async function numberVerificationWorkflow(first: VerificationRound): Promise<VerificationResult> {
  const progress = new RoundProgress(first);
  setHandler(beginRoundSignal, (round) => progress.begin(round), {
    description: 'The number is verified anew; an earlier round is given up',
  });
  setHandler(numberCalledSignal, ({ n }) => progress.onCalled(n), {
    description: "A call to the number has come in on the organisation's trunk",
  });
  setHandler(roundOverSignal, ({ n, gone }) => progress.onOver(n, gone), {
    description: 'The round was decided elsewhere: nothing is left to do in it',
  });
  for (;;) {
    const { round } = progress;
    show(round, 'pending');
    const status = round.method === 'outbound_code' ? await callWithCode(progress) : await awaitCall(progress);
    // Its code was confirmed, mostly, or a call came in.
    const perhapsWon = status === 'verified' || (status === null && progress.isDecided(round));
    if (perhapsWon && patched('lost-rounds-end')) {
      const { numberId, n } = round;
      await store('whoever else was verifying the number').endLostRounds({ numberId, n });
    }
    if (progress.round.n === round.n) {
      show(round, status ?? 'decided elsewhere');
      await condition(allHandlersFinished);
      return { status };
    }
    if (workflowInfo().continueAsNewSuggested && !progress.called && !progress.isOver(progress.round)) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof numberVerificationWorkflow>(progress.round);
    }
  }
}

async function awaitCall(progress: RoundProgress): Promise<NumberStatus | null> {
  const { round } = progress;
  await untilExpiry(round, () => progress.called || progress.isOver(round), 'for a call to the number');
  if (progress.isOver(round)) return null;
  return end(round, progress.called ? { status: 'verified' } : { status: 'expired', failure: 'not_called' });
}

async function callWithCode(progress: RoundProgress): Promise<NumberStatus | null> {
  const { round } = progress;
  const plan = await store('the code call is prepared').prepareCodeCall(round);
  if (plan.call === null) return plan.status;
  if (progress.isOver(round)) return null;
  const call = new CodeCall(plan.call);
  await untilExpiry(round, () => call.failure !== null || progress.isOver(round), 'for the code to be confirmed');
  if (progress.isGivenUp(round)) await call.giveUp();
  if (progress.isOver(round)) return null;
  const { failure } = call;
  return end(round, failure === null ? { status: 'expired', failure: 'not_confirmed' } : { status: 'failed', failure });
}

async function untilExpiry(round: VerificationRound, decided: () => boolean, summary: string): Promise<void> {
  const leftMs = round.expiresAtMs - Date.now();
  // Whoever is late with its first look at the round finds it expired.
  if (leftMs > 0) await condition(decided, leftMs, { summary });
}

function end(round: VerificationRound, outcome: RoundEnd): Promise<NumberStatus | null> {
  const why = outcome.status === 'verified' ? '' : ` (${outcome.failure})`;
  return store(`round ${round.n} ends: ${outcome.status}${why}`).endRound(round, outcome);
}

function show({ n, method, trunkId, expiresAtMs }: VerificationRound, status: string): void {
  const how = method === 'outbound_code' ? `a code call over trunk ${trunkId}` : 'a call that comes in';
  setCurrentDetails(
    `**${status}**, round ${n}\n\n- verified by ${how}\n- ends by itself ${new Date(expiresAtMs).toISOString()}`,
  );
}
