import {
  ActivityCancellationType,
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import type { NodePresence } from '../../contract/nodes';
import { nodeAliveSignal, nodeLostSignal } from '../call/messages';
import { callWorkflowId, MAIN_TASK_QUEUE, mediaNodeTaskQueue } from '../ids';
import type { LostBoot, NodeLossActivities, WatchedNodeActivities } from './activities';
import { nodeStartedSignal, nodeStateQuery, nodeStoppedSignal, suspectSignal } from './messages';
import type { MediaNodeInput, Suspicion } from './messages';
import { judge, NodeWatch } from './node-watch';
import type { Verdict } from './node-watch';

/** Calls that are told a verdict by one activity: their ids stay far below what one payload may hold. */
const TOLD_AT_ONCE = 1_000;

const store = proxyLocalActivities<NodeLossActivities>({
  startToCloseTimeout: '2s',
  retry: { maximumAttempts: 1 },
});

/**
 * One media node over all its boots: watches the current one by a heartbeating activity, decides whether a silent one
 * is lost, and tells the calls of a lost boot so. It ends when its node has stopped in order, or is lost and every call
 * was told; `nodeStarted` begins it anew.
 */
export async function mediaNodeWorkflow(input: MediaNodeInput): Promise<void> {
  await new NodeSupervision(input).run();
}

class NodeSupervision {
  readonly #nodeId: string;
  readonly #watch: NodeWatch;
  readonly #suspicions: Suspicion[];
  /** Calls that wait for a word on their boot, while others are being told. */
  readonly #waiting = new Map<string, string[]>();
  readonly #losses: LostBoot[];
  #beside = 0;
  /** The history is full: what comes in now is left to the next run. */
  #holding = false;
  #olderBoots: CancellationScope | null = null;
  #verdict: { readonly bootId: string; readonly promise: Promise<Exclude<Verdict, 'unclear'> | 'replaced'> } | null =
    null;

  constructor(input: MediaNodeInput) {
    this.#nodeId = input.nodeId;
    this.#watch = new NodeWatch(input.resumed ?? { bootId: null, lostBoots: [] });
    this.#suspicions = [...(input.held?.suspicions ?? [])];
    this.#losses = [...(input.held?.losses ?? [])];
    setHandler(nodeStateQuery, () => this.#watch.state, { description: 'The boot that is watched, and lost ones' });
    setHandler(nodeStartedSignal, ({ bootId }) => this.#onStarted(bootId), {
      description: 'The node has begun this boot: calls of its older ones are lost',
    });
    setHandler(nodeStoppedSignal, ({ bootId }) => void this.#watch.stopped(bootId), {
      description: 'The node has stopped in order, without calls',
    });
    setHandler(suspectSignal, (suspicion) => void this.#suspicions.push(suspicion), {
      description: 'A call has had no answer of the node, and waits for a verdict on it',
    });
  }

  async run(): Promise<void> {
    for (;;) {
      this.#show();
      this.#beginWork();
      const bootId = this.#watch.bootId;
      if (this.#full) {
        await condition(allHandlersFinished);
        const held = { suspicions: this.#suspicions, losses: this.#losses };
        const next: MediaNodeInput = { nodeId: this.#nodeId, resumed: this.#watch.state };
        await continueAsNew<typeof mediaNodeWorkflow>(this.#holding ? { ...next, held } : next);
      }
      if (bootId !== null) await this.#supervise(bootId);
      else if (this.#quiet) return;
      else await condition(() => this.#news || this.#watch.bootId !== null || this.#quiet || this.#full);
    }
  }

  /** Something has to be begun, by this run. */
  get #news(): boolean {
    return !this.#holding && this.#waitingForWork;
  }

  get #waitingForWork(): boolean {
    return this.#losses.length > 0 || this.#suspicions.length > 0;
  }

  /** Every call of a lost boot was told, every suspicion answered. */
  get #quiet(): boolean {
    return !this.#waitingForWork && this.#beside === 0;
  }

  /** The next run is to take over, and nothing that this one has begun would be lost by it. */
  get #full(): boolean {
    return workflowInfo().continueAsNewSuggested && this.#beside === 0 && !this.#news;
  }

  /** A run that is full begins nothing more: with suspicions coming in one after the other it would never be without work. */
  #beginWork(): void {
    if (this.#news && workflowInfo().continueAsNewSuggested && patched('a-full-run-begins-nothing'))
      this.#holding = true;
    if (this.#holding) return;
    this.#beginSweeps();
    this.#answerSuspicions();
  }

  #onStarted(bootId: string): void {
    if (!this.#watch.isLost(bootId)) this.#begin(bootId);
    else this.#track(this.#revive(bootId));
  }

  #begin(bootId: string): void {
    if (!this.#watch.started(bootId)) return;
    // Calls of every older boot are lost, also of those this workflow never heard of. The sweep for the boot before
    // this one would take this one's calls for older ones: it ends here, the new one covers what it had left.
    this.#olderBoots?.cancel();
    this.#losses.push({ nodeId: this.#nodeId, bootId: null, exceptBootId: bootId });
  }

  /** A boot that was given up speaks again: a late word of a dead one, or a node that was cut off for long. */
  async #revive(bootId: string): Promise<void> {
    if ((await this.#ping()) === bootId) this.#begin(bootId);
  }

  /** Returns when the boot is over, or something else has to be done in between. */
  async #supervise(bootId: string): Promise<void> {
    const scope = new CancellationScope({ cancellable: true });
    let over = false;
    const running = scope
      .run(() => this.#runNode(bootId))
      .catch((error: unknown) => {
        if (!(error instanceof ActivityFailure)) throw error;
        return 'silent' as const;
      })
      .finally(() => {
        over = true;
      });
    const replaced = (): boolean => this.#watch.bootId !== bootId;
    while (!over && !replaced() && !this.#full) {
      await condition(() => over || replaced() || this.#news || this.#full);
      this.#beginWork();
    }
    const finished = over;
    if (!finished) scope.cancel();
    const outcome = await running;
    if (!finished || replaced()) return;
    if (outcome === 'stopped') this.#watch.stopped(bootId);
    else await this.#verify(bootId);
  }

  async #runNode(bootId: string): Promise<'stopped' | 'other_boot'> {
    const media = proxyActivities<WatchedNodeActivities>({
      taskQueue: mediaNodeTaskQueue(this.#nodeId),
      // As long as a missed heartbeat takes to be noticed: a node that dies before it begins is found lost as soon.
      scheduleToStartTimeout: NODE_SILENCE_MS,
      startToCloseTimeout: '30 days',
      heartbeatTimeout: NODE_SILENCE_MS,
      retry: { maximumAttempts: 1 },
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      summary: `watches boot ${bootId}`,
    });
    return await media.runNode({ nodeId: this.#nodeId, bootId });
  }

  /** One verdict at a time: a call's suspicion and a missed heartbeat share it. */
  #verify(bootId: string): Promise<Exclude<Verdict, 'unclear'> | 'replaced'> {
    if (this.#verdict?.bootId === bootId) return this.#verdict.promise;
    const promise = this.#reachVerdict(bootId).finally(() => {
      if (this.#verdict?.promise === promise) this.#verdict = null;
    });
    this.#verdict = { bootId, promise };
    return promise;
  }

  async #reachVerdict(bootId: string): Promise<Exclude<Verdict, 'unclear'> | 'replaced'> {
    for (;;) {
      if (this.#watch.bootId !== bootId) return this.#watch.isLost(bootId) ? 'lost' : 'replaced';
      const ping = await this.#ping();
      const verdict = ping === null ? await this.#judgeSilence(bootId) : judge(bootId, ping, null);
      if (verdict === 'lost') {
        this.#watch.lost(bootId);
        this.#losses.push({ nodeId: this.#nodeId, bootId, exceptBootId: null });
      }
      if (verdict !== 'unclear') return verdict;
      await sleep('1s', { summary: `until boot ${bootId} is asked again` });
    }
  }

  async #ping(): Promise<string | null> {
    const media = proxyActivities<WatchedNodeActivities>({
      taskQueue: mediaNodeTaskQueue(this.#nodeId),
      scheduleToStartTimeout: '2s',
      startToCloseTimeout: '2s',
      retry: { maximumAttempts: 1 },
      summary: 'does the node answer?',
    });
    try {
      return (await media.pingNode()).bootId;
    } catch (error) {
      if (error instanceof ActivityFailure) return null;
      throw error;
    }
  }

  /**
   * Nothing of a loss is told to anybody before it is marked: a boot that comes back at this very moment either has
   * shown itself, and is not lost, or finds the mark.
   */
  async #judgeSilence(bootId: string): Promise<Verdict> {
    if (!patched('losses-are-marked')) return judge(bootId, null, await this.#presence());
    try {
      return (await store.declareLost({ nodeId: this.#nodeId, bootId })) ? 'lost' : 'unclear';
    } catch (error) {
      if (error instanceof ActivityFailure) return 'unclear'; // PostgreSQL is away
      throw error;
    }
  }

  async #presence(): Promise<NodePresence | null | 'unknown'> {
    try {
      return await store.nodePresence(this.#nodeId);
    } catch (error) {
      if (error instanceof ActivityFailure) return 'unknown'; // PostgreSQL is away
      throw error;
    }
  }

  #beginSweeps(): void {
    for (const lost of this.#losses.splice(0)) {
      const scope = new CancellationScope({ cancellable: true });
      if (lost.bootId === null) this.#olderBoots = scope;
      this.#track(scope.run(() => this.#sweep(lost)));
    }
  }

  async #sweep(lost: LostBoot): Promise<void> {
    const whose =
      lost.bootId === null ? `calls of boots before ${lost.exceptBootId}` : `calls of the lost boot ${lost.bootId}`;
    await onCalls(whose).sweepLostCalls(lost);
  }

  #answerSuspicions(): void {
    for (const { bootId, callId } of this.#suspicions.splice(0)) {
      const waiting = this.#waiting.get(bootId);
      if (waiting !== undefined) waiting.push(callId);
      else if (patched('verdicts-are-told-in-batches')) {
        this.#waiting.set(bootId, [callId]);
        this.#track(this.#tellVerdicts(bootId));
      } else this.#track(this.#answer(bootId, callId));
    }
  }

  /** A lost node may have all of its calls ask at once, which are more than one workflow can signal. */
  async #tellVerdicts(bootId: string): Promise<void> {
    const waiting = this.#waiting.get(bootId) ?? [];
    while (waiting.length > 0) {
      const alive = bootId === this.#watch.bootId && (await this.#verify(bootId)) === 'alive';
      const callIds = waiting.splice(0, TOLD_AT_ONCE);
      await onCalls(`${callIds.length} calls hear that boot ${bootId} is ${alive ? 'alive' : 'lost'}`).tellVerdict({
        bootId,
        alive,
        callIds,
      });
    }
    this.#waiting.delete(bootId);
  }

  /** Work beside the watch, which the workflow does not end without. */
  #track(work: Promise<void>): void {
    this.#beside++;
    work
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      })
      .finally(() => {
        this.#beside--;
      });
  }

  /** As runs of an earlier release did it. */
  async #answer(bootId: string, callId: string): Promise<void> {
    const verdict = bootId === this.#watch.bootId ? await this.#verify(bootId) : 'lost';
    const signal = verdict === 'alive' ? nodeAliveSignal : nodeLostSignal;
    try {
      await getExternalWorkflowHandle(callWorkflowId(callId)).signal(signal, { bootId });
    } catch {
      // The call is over: it needs no answer any more. Thrown on, this would stop the whole watch of the node.
    }
  }

  #show(): void {
    const { bootId, lostBoots } = this.#watch.state;
    const lost = lostBoots.length === 0 ? '' : `\n- lost boots: ${lostBoots.join(', ')}`;
    setCurrentDetails(bootId === null ? `**no live boot**${lost}` : `**boot ${bootId}** is watched${lost}`);
  }
}

/** Work on many calls, as long as it takes. */
function onCalls(summary: string): ReturnType<typeof proxyActivities<NodeLossActivities>> {
  return proxyActivities<NodeLossActivities>({
    taskQueue: MAIN_TASK_QUEUE,
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '5s' },
    summary,
  });
}
