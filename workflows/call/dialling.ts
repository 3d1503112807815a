import { condition, sleep } from '@temporalio/workflow';
import type { CapacityWait } from '../../contract/capacity';
import type { CallEnding } from '../../contract/endings';
import type { NodePresence } from '../../contract/nodes';
import { changed } from '../revision';
import type { CallRun } from './call-run';
import { DialAttempt } from './dial-attempt';
import type { AttemptOutcome, DialPlace } from './dial-attempt';
import {
  canceledUndialled,
  LOST_ANSWERED,
  notDialled,
  refusedByCampaign,
  UNCERTAIN,
  UNRESOLVABLE,
  waitedInVain,
} from './endings';
import type { NotSentCode } from './endings';
import type { OutboundCallInput } from './input';
import * as node from './node-commands';
import { showPlaced, showWaiting } from './presentation';

/** Between two attempts that dialled nothing. */
const PAUSES_MS = [1_000, 2_000, 5_000] as const;
/** What no other attempt will change, after that many of them (a new trunk takes a moment to reach every node). */
const HOPELESS_AFTER = 3;
/** Live nodes that do not answer are asked again for this long; with Temporal just back, pollers need 10 s. */
const SEARCH_MS = 15_000;
/** A node that takes the dial stores the call's row; where none does, the workflow has to. Whoever placed the call waits. */
const ROW_WITHIN_MS = 1_000;
const TAKEN_WITHIN_MS = 5_000;
/** No live node at all is also how PostgreSQL shows them right after an outage, until their next sign of life. */
const NONE_MS = 3_000;

export type DialEnd = { readonly attempt: number; readonly certain: boolean } | null;

/**
 * From the accepted request to a node that has the call, or to the ending of a call that none has: `null` when no
 * INVITE can have left. At most one INVITE per attempt, and no attempt after one that may have sent something.
 */
export async function dial(run: CallRun, input: OutboundCallInput): Promise<DialEnd> {
  const { progress, projection } = run;
  const interrupted = (): boolean => progress.ended || run.hangupRequest !== null;
  /** The node that holds the registration of who is called; null: any node. */
  let holder: string | null = null;
  let askedInVain: readonly string[] = [];
  let last: NotSentCode | null = null;
  /** Whoever placed the call waits for its row, which the node that takes the dial stores. */
  let awaited = run.nodeKeepsRecord && input.campaign === undefined && !projection.recorded;
  const graceMs = input.dialByMs - input.createdAtMs;
  let dialByMs = input.scheduledAtMs === undefined ? input.dialByMs : Date.now() + graceMs;
  for (let n = 1; !progress.ended; n++) {
    if (run.hangupRequest !== null) {
      progress.end(canceledUndialled(run.hangupRequest), Date.now());
    } else if (Date.now() >= dialByMs) {
      progress.end(notDialled(last), Date.now());
    } else {
      run.attempt = n;
      const { timesCalled } = run;
      const early = awaited;
      awaited = false;
      const outcome = await attempt(run, input, n, {
        holder,
        askedInVain,
        withinMs: early ? ROW_WITHIN_MS : TAKEN_WITHIN_MS,
      });
      const asked: string | null = holder;
      holder = null;
      const stored = typeof outcome === 'object' && ('nodeId' in outcome || 'reason' in outcome);
      if (progress.node !== null || stored) projection.recordedByNode();
      else projection.recordCall(input);
      if (outcome === 'placed') {
        recordPlace(run);
        if (!progress.ended) showPlaced(progress);
        return { attempt: n, certain: true };
      }
      if (outcome === 'unknown') return { attempt: n, certain: await search(run) };
      if (outcome !== 'withdrawn' && 'nodeId' in outcome) {
        // Sent, or ended before: its node tells how it went on.
        progress.placedOn(outcome, Date.now());
        if (!progress.ended) showPlaced(progress);
        return { attempt: n, certain: true };
      }
      progress.requeued();
      if (outcome === 'withdrawn') continue;
      if ('why' in outcome) {
        progress.end(refusedByCampaign(outcome.why), Date.now());
        continue;
      }
      if ('reason' in outcome) {
        await untilRoom(run, input, outcome, timesCalled);
        // It has waited for no fault of a node, and its attempt was not begun.
        dialByMs = Date.now() + graceMs;
        n--;
        continue;
      }
      if ('holder' in outcome) {
        holder = outcome.holder;
        // All of them were asked: from the best one on, in a while.
        const again = askedInVain.includes(holder);
        if (again) askedInVain = [];
        else if (asked === null) continue;
      }
      last = outcome.code;
      if (early && outcome.code === 'no_node') {
        // Nobody has begun this attempt: it stands in the queue again, now that its row is being stored.
        n--;
        continue;
      }
      const ending = hopeless(outcome.code, n);
      if (ending !== null) progress.end(ending, Date.now());
      else if (asked !== null && holder === null && changed('next-holder')) askedInVain = [...askedInVain, asked];
      else await pause(run, input, n, interrupted);
    }
  }
  return null;
}

/**
 * `placed`: it is known which node has the call, by its events or because it was asked, before the dial itself has
 * answered; the answer is not waited for then.
 */
async function attempt(
  run: CallRun,
  input: OutboundCallInput,
  n: number,
  place: DialPlace,
): Promise<AttemptOutcome | 'placed'> {
  const { progress, projection } = run;
  progress.dialing();
  const dialled = new DialAttempt();
  const placed = (): boolean => progress.node !== null || progress.ended;
  let open = true;
  const answer = dialled.run(input, n, place).finally(() => {
    open = false;
  });
  const settled = (): boolean => !open || placed() || run.hangupRequest !== null;
  const unrecorded = !run.nodeKeepsRecord && !projection.recorded;
  if (unrecorded && !(await condition(settled, ROW_WITHIN_MS, { summary: 'for a node to dial' })))
    projection.recordCall(input);
  await condition(settled);
  if (open && !placed()) {
    // A dial that was begun is not taken back; who placed the call is not kept waiting with it.
    projection.recordCall(input);
    dialled.withdraw();
    // Its node may be waiting for a name server or a connection: it has the call, and can end it.
    if (changed('hang-up-while-dialling')) void lookUp(run, () => !open || placed());
  }
  return await Promise.race([answer, condition(placed).then(() => 'placed' as const)]);
}

/**
 * Until it may be its turn: the time has come that the ledger named, or a slot is free, which whoever gives it back says.
 * A word that is lost is said again by the media nodes, all of which look after who waits.
 */
async function untilRoom(
  run: CallRun,
  input: OutboundCallInput,
  { reason, retryInMs }: CapacityWait,
  timesCalled: number,
): Promise<void> {
  const { progress, schedule } = run;
  const { changes } = schedule;
  const over = (): boolean => progress.ended || run.hangupRequest !== null;
  const leftMs = Math.max(1, schedule.expiresAtMs - Date.now());
  showWaiting(input, progress, reason);
  const waitMs = Math.min(retryInMs ?? leftMs, leftMs);
  // Told while the dial was under way: the slot came free after it was asked for.
  const stirred = (): boolean => over() || run.timesCalled > timesCalled || schedule.changes > changes;
  await condition(stirred, waitMs, { summary: `for room: ${reason}` });
  if (!over() && Date.now() >= schedule.expiresAtMs) progress.end(waitedInVain(reason), Date.now());
}

/** A call without a row is not dialled again: a PostgreSQL that is away would turn that attempt down too. */
async function pause(run: CallRun, input: OutboundCallInput, n: number, interrupted: () => boolean): Promise<void> {
  const pauseMs = PAUSES_MS[Math.min(n, PAUSES_MS.length) - 1] ?? 1_000;
  await condition(interrupted, pauseMs, { summary: `pause after attempt ${n}, which dialled nothing` });
  const { projection } = run;
  await condition(() => projection.recorded || interrupted(), Math.max(1, input.dialByMs - Date.now()), {
    summary: 'for the row of the call',
  });
}

function hopeless(code: NotSentCode, n: number): CallEnding | null {
  switch (code as NotSentCode | 'unresolvable') {
    case 'tombstoned':
      return notDialled(code);
    case 'unknown_agent':
    case 'unknown_trunk':
      return n >= HOPELESS_AFTER ? notDialled(code) : null;
    // Of histories of 0.1.0, whose nodes did not end such calls themselves.
    case 'unresolvable':
      return n >= HOPELESS_AFTER ? UNRESOLVABLE : null;
    default:
      return null;
  }
}

/**
 * The dial was begun and did not return: whichever live node has the call keeps it. Where none has, the attempt is
 * uncertain, and no node may send an INVITE for it later. True when the call was found.
 */
async function search(run: CallRun): Promise<boolean> {
  const { progress, input } = run;
  const untilMs = Date.now() + SEARCH_MS;
  let noneUntilMs: number | null = null;
  const found = (): boolean => progress.ended || progress.node !== null;
  while (!found()) {
    const { nodes, silent } = await lookUp(run, found);
    if (found()) break;
    if (nodes.length === 0) noneUntilMs ??= Date.now() + NONE_MS;
    const open = nodes.length === 0 ? Date.now() < (noneUntilMs ?? 0) : silent;
    if (!open || Date.now() >= untilMs) {
      if (!run.nodeKeepsRecord) progress.end(UNCERTAIN, Date.now(), { truncated: true });
      await Promise.all(nodes.map(({ nodeId }) => node.tombstone(input.callId, nodeId)));
      // Its node may have died with it, after it had stored the answer.
      const answered = run.nodeKeepsRecord && (await run.wasAnswered());
      if (run.nodeKeepsRecord && found()) break;
      progress.end(answered ? LOST_ANSWERED : UNCERTAIN, Date.now(), { truncated: true });
      return false;
    }
    await sleep('1s', { summary: 'until the nodes are asked again' });
  }
  recordPlace(run);
  if (!progress.ended) showPlaced(progress);
  return true;
}

/** A node whose dial returns does this itself. */
function recordPlace({ input, nodeKeepsRecord, progress: { node: place }, projection }: CallRun): void {
  if (nodeKeepsRecord && place !== null) projection.recordPlaced({ callId: input.callId, ...place });
}

/** Asks every live node for the call; the one that has it keeps it, unless that was `settled` otherwise meanwhile. */
async function lookUp(
  run: CallRun,
  settled: () => boolean,
): Promise<{ readonly nodes: readonly NodePresence[]; readonly silent: boolean }> {
  const nodes = await run.projection.liveNodes();
  const answers = await Promise.all(nodes.map(({ nodeId }) => node.status(run.input.callId, nodeId)));
  for (const answer of answers) {
    if (settled() || answer === 'silent' || !answer.status.known) continue;
    run.progress.placedOn({ nodeId: answer.nodeId, bootId: answer.bootId, sipCallId: null }, Date.now());
    if (answer.status.state === 'answered') run.adoptAnswer();
    break;
  }
  return { nodes, silent: answers.includes('silent') };
}
