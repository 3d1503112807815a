/** What a media node counts (docs/metrics.md), as Prometheus metrics in base units. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { OVERLOAD_REASONS } from '../contract/directory';
import type { Overload } from '../contract/directory';
import { TRUNK_HEALTH_STATES } from '../contract/trunk-health';
import type { TrunkHealthState } from '../contract/trunk-health';
import { isKnownMethod, type CallObserver, type SipCounters, type TrunkObserver } from '../media';

const SECONDS = 0.001;

interface TrunkCapacityInUse {
  readonly trunkId: string;
  readonly leases: number;
  readonly waiting: number;
}

export interface MediaMetricsOptions {
  readonly registry: Registry;
  /** Read at every scrape. */
  readonly activeCalls: () => number;
  readonly settingUp: () => number;
  readonly overload: () => Overload | null;
  readonly maxCalls: () => number;
}

type MessageLabels = Readonly<Record<'direction' | 'method' | 'status', string | number>>;

/** What the SIP layer counts: every message at the sockets, refusals with their reason. */
export function createSipCounters(registry: Registry): SipCounters {
  const registers = [registry];
  // Nine messages a call: they are counted here, and become labels when somebody looks.
  const counted = new Map<string, { readonly labels: MessageLabels; since: number }>();
  new Counter({
    name: 'trunkline_sip_messages_total',
    help: 'SIP messages by direction, method and status (empty for requests).',
    labelNames: ['direction', 'method', 'status'],
    registers,
    collect() {
      for (const entry of counted.values()) {
        this.inc(entry.labels, entry.since);
        entry.since = 0;
      }
    },
  });
  const rejects = new Counter({
    name: 'trunkline_sip_rejects_total',
    help: 'SIP messages refused or dropped before a call, by reason and status (empty when dropped).',
    labelNames: ['reason', 'status'],
    registers,
  });
  const retransmissions = new Counter({
    name: 'trunkline_sip_retransmissions_total',
    help: 'SIP messages that we sent again, by method.',
    labelNames: ['method'],
    registers,
  });
  return {
    message: (direction, method, status) => {
      const known = methodLabel(method);
      const key = `${direction} ${known} ${status ?? ''}`;
      const entry = counted.get(key);
      if (entry === undefined)
        counted.set(key, { labels: { direction, method: known, status: status ?? '' }, since: 1 });
      else entry.since++;
    },
    rejected: (reason, status) => rejects.inc({ reason, status: status ?? '' }),
    retransmitted: (method) => retransmissions.inc({ method: methodLabel(method) }),
  };
}

export function createCallObserver(options: MediaMetricsOptions): CallObserver {
  const registers = [options.registry];
  new Gauge({
    name: 'trunkline_calls_active',
    help: 'Calls on this node: being set up, live or ending.',
    registers,
    collect() {
      this.set(options.activeCalls());
    },
  });
  new Gauge({
    name: 'trunkline_calls_setting_up',
    help: 'Calls that came in and are not answered yet, where that is up to this node.',
    registers,
    collect() {
      this.set(options.settingUp());
    },
  });
  new Gauge({
    name: 'trunkline_overload_share',
    help: 'Of the calls that come in, how much is refused because of what there is too much of.',
    labelNames: ['reason'],
    registers,
    collect() {
      const overload = options.overload();
      for (const reason of OVERLOAD_REASONS) this.set({ reason }, overload?.reason === reason ? overload.share : 0);
    },
  });
  new Gauge({
    name: 'trunkline_calls_limit',
    help: 'Calls that this node takes at once.',
    registers,
    collect() {
      this.set(options.maxCalls());
    },
  });
  const began = new Counter({
    name: 'trunkline_calls_started_total',
    help: 'Calls that came into being, by direction.',
    labelNames: ['direction'],
    registers,
  });
  const ended = new Counter({
    name: 'trunkline_calls_ended_total',
    help: 'Calls that ended, by direction, disposition and end reason.',
    labelNames: ['direction', 'disposition', 'end_reason'],
    registers,
  });
  const rejects = new Counter({
    name: 'trunkline_call_rejects_total',
    help: 'INVITEs refused and dials not sent, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const stages = new Histogram({
    name: 'trunkline_call_setup_stage_seconds',
    help: 'Time to each stage of a set-up, by direction and stage.',
    labelNames: ['direction', 'stage'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  });
  const loss = new Histogram({
    name: 'trunkline_rtp_loss_ratio',
    help: 'Packets lost of those expected from the peer, by call.',
    buckets: [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    registers,
  });
  const jitter = new Histogram({
    name: 'trunkline_rtp_jitter_seconds',
    help: 'Interarrival jitter (RFC 3550) at the end of a call.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
    registers,
  });
  const mos = new Histogram({
    name: 'trunkline_rtp_mos',
    help: 'E-model estimate of the received audio, by call.',
    buckets: [1, 2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.2, 4.4, 5],
    registers,
  });
  const gap = new Histogram({
    name: 'trunkline_rtp_pacing_gap_max_seconds',
    help: 'Longest gap between two packets that we sent, by call.',
    buckets: [0.021, 0.022, 0.025, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1],
    registers,
  });
  const turns = new Histogram({
    name: 'trunkline_turn_latency_seconds',
    help: 'Last speech packet of the caller in to first packet of the reply out.',
    buckets: [0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 2, 3, 5],
    registers,
  });
  return {
    callBegan: (direction) => began.inc({ direction }),
    callEnded: ({ direction, disposition, endReason, timings, stats }) => {
      ended.inc({ direction, disposition, end_reason: endReason ?? '' });
      for (const [name, ms] of Object.entries(timings)) {
        if (ms !== null && name !== 'talkMs') stages.observe({ direction, stage: stageOf(name) }, ms * SECONDS);
      }
      if (!stats || stats.packetsSent === 0) return;
      gap.observe(stats.maxSendGapMs * SECONDS);
      const expected = stats.packetsReceived + stats.packetsLost;
      if (expected === 0) return;
      loss.observe(stats.packetsLost / expected);
      jitter.observe(stats.jitterMs * SECONDS);
      if (stats.mos !== null) mos.observe(stats.mos);
    },
    rejected: (reason) => rejects.inc({ reason }),
    turnLatency: (ms) => turns.observe(ms * SECONDS),
  };
}

/** Calls of which something is still to be told to Temporal, or to be written down. @param read asked at every scrape */
export function createUnfinishedGauge(
  registry: Registry,
  read: () => { readonly stateEvents: number; readonly records: number },
): void {
  new Gauge({
    name: 'trunkline_calls_unfinished',
    help: 'Calls with state events that are not acknowledged, and calls that have ended and whose record is not complete.',
    labelNames: ['missing'],
    registers: [registry],
    collect() {
      const { stateEvents, records } = read();
      this.set({ missing: 'state_events' }, stateEvents);
      this.set({ missing: 'records' }, records);
    },
  });
}

/** What the watch over outbound trunks counts. @param counts how many trunks of this node are in each state, read at every scrape */
export function createTrunkObserver(
  registry: Registry,
  counts: () => ReadonlyMap<TrunkHealthState, number>,
): TrunkObserver {
  const registers = [registry];
  new Gauge({
    name: 'trunkline_trunk_states',
    help: 'Outbound trunks that this node looks after, by the state of their health.',
    labelNames: ['state'],
    registers,
    collect() {
      const now = counts();
      for (const state of TRUNK_HEALTH_STATES) this.set({ state }, now.get(state) ?? 0);
    },
  });
  const pings = new Counter({
    name: 'trunkline_trunk_pings_total',
    help: 'Pings of outbound trunks, by what came of them: good, impaired, bad.',
    labelNames: ['result'],
    registers,
  });
  const times = new Histogram({
    name: 'trunkline_trunk_ping_seconds',
    help: 'Round trip of OPTIONS to outbound trunks, where they were answered.',
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8],
    registers,
  });
  const registrations = new Counter({
    name: 'trunkline_trunk_registrations_total',
    help: 'Registrations with outbound trunks that were tried, by result: registered, failed, refused.',
    labelNames: ['result'],
    registers,
  });
  return {
    pinged: (result, rttMs) => {
      pings.inc({ result });
      if (rttMs !== null) times.observe(rttMs * SECONDS);
    },
    registered: (result) => registrations.inc({ result }),
  };
}

/** What of the outbound trunks' capacity is in use, of all nodes together. @param read asked at every scrape; null: not known now */
export function createCapacityGauge(
  registry: Registry,
  read: () => Promise<readonly TrunkCapacityInUse[] | null>,
): void {
  new Gauge({
    name: 'trunkline_capacity_calls',
    help: 'Places on outbound trunks that are in use, and calls that wait for one, by trunk, of all nodes.',
    labelNames: ['trunk_id', 'state'],
    registers: [registry],
    async collect() {
      const trunks = await read();
      this.reset();
      for (const { trunkId, leases, waiting } of trunks ?? []) {
        this.set({ trunk_id: trunkId, state: 'in_use' }, leases);
        this.set({ trunk_id: trunkId, state: 'waiting' }, waiting);
      }
    },
  });
}

/** A method is the peer's word: labels take only what we know. */
function methodLabel(method: string): string {
  return isKnownMethod(method) ? method : 'other';
}

/** `inviteToAnswerMs` → `invite_to_answer`. */
function stageOf(name: string): string {
  return name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
