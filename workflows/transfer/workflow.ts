import {
  CancellationScope,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';
import { hasTransferred } from '../../contract/transfers';
import type { TransferResult, TransferWay } from '../../contract/transfers';
import { MAIN_TASK_QUEUE } from '../ids';
import type { TransferActivities } from './activities';
import { callOverSignal, effectSignal } from './messages';
import type { TransferInput } from './messages';
import { failedAt, outcomeOf } from './outcome';
import type { Attempt, Tried } from './outcome';
import { showTransfer } from './presentation';
import { TransferCommands } from './transfer-commands';

/** No sentence lasts longer. */
const ANNOUNCE_MS = 90_000;
/** For the node's word beyond the time that it lets a phone ring. */
const GRACE_MS = 10_000;
/** Beyond that the node lets whoever has answered decide for so long at most. */
const CONSULT_MS = 150_000;
/** The node waits for the end of a REFER for a minute at most. */
const REFER_MS = 75_000;
/** Busy and declined, of whoever was called. */
const FINAL_WORDS: readonly number[] = [486, 600, 603];

const quick = proxyLocalActivities<TransferActivities>({
  startToCloseTimeout: '2s',
  retry: { maximumAttempts: 2, initialInterval: '100ms' },
});
const patient = proxyActivities<TransferActivities>({
  taskQueue: MAIN_TASK_QUEUE,
  startToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'record of the transfer',
});

/**
 * One transfer of a call: announce → call whoever is to have the caller → the two are joined. What the node does at once
 * (ringback, joining, the way back to the agent) it does by itself; here it is decided, once, and undone where it cannot be
 * known to have failed. Its call's workflow tells it what its commands came to, and when the call is over.
 */
export async function transferWorkflow(input: TransferInput): Promise<TransferResult> {
  const commands = new TransferCommands(input);
  setHandler(effectSignal, (effect) => commands.onEffect(effect), {
    description: 'The node says what a command came to',
  });
  setHandler(callOverSignal, ({ atMs }) => commands.callOver(atMs), { description: 'The call has ended' });
  let attempt: Tried;
  try {
    attempt = await carryOut(input, commands);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    attempt = await CancellationScope.nonCancellable(() => withdraw(input, commands));
  }
  // By what has happened, not by when we came to hear of it: the worker may have been away meanwhile.
  const atMs = Math.min(Date.now(), commands.knownAtMs ?? Infinity, commands.overAtMs ?? Infinity);
  const result: TransferResult = { ...attempt, durationMs: Math.max(0, atMs - input.requestedAtMs) };
  showTransfer(input, result);
  await CancellationScope.nonCancellable(() => record(input, result, atMs));
  return result;
}

async function carryOut(input: TransferInput, commands: TransferCommands): Promise<Tried> {
  if (input.announce !== null) {
    showTransfer(input, 'announcing');
    const told = await commands.run('announce', input.announce, ANNOUNCE_MS);
    // A caller who speaks up, or an agent that is muted, does not keep it from going on.
    if (told === 'over') return { mode: input.ways[0] ?? 'bridge', ...failedAt('call_ended', 'announce') };
  }
  let last: Tried = { mode: 'bridge', ...failedAt('failed', 'dial') };
  for (const [at, way] of input.ways.entries()) {
    showTransfer(input, way);
    const fallback = at + 1 < input.ways.length;
    const { mayDial, ...tried } = await goBy(way, input, commands, fallback);
    last = tried;
    // The node has kept the peer away for it: a 603 to the REFER is not the word of whoever would have been called.
    if (mayDial === true) continue;
    if (!fallback || !mayTryNext(last)) break;
  }
  return last;
}

/** Whoever was joined by then stays: the node leaves a pair alone, and says so. */
async function withdraw({ ways }: TransferInput, commands: TransferCommands): Promise<Tried> {
  await commands.release();
  const joined = patched('what-was-joined-is-not-withdrawn') ? await commands.joined() : null;
  return joined ?? { mode: ways[0] ?? 'bridge', ...failedAt('withdrawn', 'dial') };
}

async function goBy(
  way: TransferWay,
  input: TransferInput,
  commands: TransferCommands,
  fallback: boolean,
): Promise<Tried & { readonly mayDial?: boolean }> {
  switch (way) {
    case 'refer':
      return await refer(input, commands, fallback);
    case 'bridge':
      return await bridge(input, commands);
    case 'warm':
      return await consult(input, commands);
  }
}

async function refer(
  { leg }: TransferInput,
  commands: TransferCommands,
  fallback: boolean,
): Promise<Tried & { readonly mayDial: boolean }> {
  const referred = await commands.run('refer', { type: 'refer', sealed: leg, fallback }, REFER_MS);
  if (referred !== 'over' && referred.outcome === 'silent') {
    await commands.release();
    return { mode: 'refer', ...failedAt('unknown', 'refer'), mayDial: false };
  }
  const mayDial = fallback && referred !== 'over' && 'mayDial' in referred && referred.mayDial === true;
  return { mode: 'refer', ...outcomeOf(referred, 'refer'), mayDial };
}

async function bridge({ leg, ringTimeoutSeconds }: TransferInput, commands: TransferCommands): Promise<Tried> {
  const waitMs = ringTimeoutSeconds * 1000 + GRACE_MS;
  const dialled = await commands.run('dial', { type: 'dialLeg', sealed: leg }, waitMs);
  if (dialled !== 'over' && dialled.outcome === 'silent') await commands.release();
  return { mode: 'bridge', ...outcomeOf(dialled, 'dial') };
}

/** Nothing is undone of what has been accepted: a release leaves a pair alone. */
async function consult({ leg, ringTimeoutSeconds }: TransferInput, commands: TransferCommands): Promise<Tried> {
  const waitMs = ringTimeoutSeconds * 1000 + CONSULT_MS + GRACE_MS;
  const asked = await commands.run('consult', { type: 'consultLeg', sealed: leg }, waitMs);
  if (asked !== 'over' && asked.outcome === 'silent') await commands.release();
  const reached = asked === 'over' || ('sipStatus' in asked && asked.sipStatus === 200);
  return { mode: 'warm', ...outcomeOf(asked, reached ? 'consult' : 'dial') };
}

/** Who has decided on the call, or may be ringing, is not called again. */
function mayTryNext({ outcome, sipStatus }: Attempt): boolean {
  if (outcome === 'unknown' || outcome === 'call_ended' || hasTransferred({ outcome })) return false;
  return sipStatus === null || !FINAL_WORDS.includes(sipStatus);
}

async function record({ callId, transferId }: TransferInput, result: TransferResult, atMs: number): Promise<void> {
  const finished = { callId, transferId, result, atMs };
  try {
    await quick.transferFinished(finished);
  } catch {
    await patient.transferFinished(finished);
  }
}
