import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import {
  createCallObserver,
  createSipCounters,
  createTrunkObserver,
  createUnfinishedGauge,
} from '../../../media-node/metrics';
import { QUIET_STATS } from '../../fakes/fake-rtp-engine';

describe('metrics of a media node', () => {
  it('count calls, stages and media in base units', async () => {
    const registry = new Registry();
    const observer = createCallObserver({
      registry,
      activeCalls: () => 3,
      maxCalls: () => 200,
      settingUp: () => 2,
      overload: () => ({ reason: 'records', share: 0.25 }),
    });
    observer.callBegan('inbound');
    observer.rejected('no_agent');
    observer.turnLatency(800);
    observer.callEnded({
      direction: 'inbound',
      disposition: 'answered',
      endReason: 'agent_goodbye',
      timings: { inviteToAnswerMs: 20, answerToAckMs: null, talkMs: 5000 },
      stats: {
        ...QUIET_STATS,
        packetsSent: 250,
        packetsReceived: 198,
        packetsLost: 2,
        jitterMs: 4,
        mos: 4.2,
        framesHeard: 0,
        maxSendGapMs: 21,
      },
    });
    const text = await registry.metrics();
    expect(text).toContain('trunkline_calls_active 3');
    expect(text).toContain('trunkline_calls_setting_up 2');
    expect(text).toContain('trunkline_overload_share{reason="records"} 0.25');
    expect(text).toContain('trunkline_overload_share{reason="set_ups"} 0');
    expect(text).toContain('trunkline_calls_started_total{direction="inbound"} 1');
    expect(text).toContain(
      'trunkline_calls_ended_total{direction="inbound",disposition="answered",end_reason="agent_goodbye"} 1',
    );
    expect(text).toContain('trunkline_call_rejects_total{reason="no_agent"} 1');
    expect(text).toContain('trunkline_call_setup_stage_seconds_sum{direction="inbound",stage="invite_to_answer"} 0.02');
    expect(text).not.toContain('stage="talk"');
    expect(text).toContain('trunkline_rtp_loss_ratio_sum 0.01');
    expect(text).toContain('trunkline_rtp_jitter_seconds_sum 0.004');
    expect(text).toContain('trunkline_rtp_pacing_gap_max_seconds_sum 0.021');
    expect(text).toContain('trunkline_turn_latency_seconds_sum 0.8');
  });

  it('count the watch over trunks', async () => {
    const registry = new Registry();
    const observer = createTrunkObserver(registry, () => new Map([['down', 2]]));
    observer.pinged('good', 20);
    observer.pinged('bad', null);
    observer.registered('refused');
    const text = await registry.metrics();
    expect(text).toContain('trunkline_trunk_states{state="down"} 2');
    expect(text).toContain('trunkline_trunk_states{state="healthy"} 0');
    expect(text).toContain('trunkline_trunk_pings_total{result="bad"} 1');
    expect(text).toContain('trunkline_trunk_ping_seconds_sum 0.02');
    expect(text).toContain('trunkline_trunk_ping_seconds_count 1');
    expect(text).toContain('trunkline_trunk_registrations_total{result="refused"} 1');
  });

  it('keep a peer from inventing labels', async () => {
    const registry = new Registry();
    const counters = createSipCounters(registry);
    counters.message('in', 'INVITE', null);
    counters.message('in', 'GARBAGE42', null);
    counters.rejected('unparsable', null);
    counters.retransmitted('BYE');
    const text = await registry.metrics();
    expect(text).toContain('trunkline_sip_messages_total{direction="in",method="INVITE",status=""} 1');
    expect(text).toContain('trunkline_sip_messages_total{direction="in",method="other",status=""} 1');
    expect(text).toContain('trunkline_sip_rejects_total{reason="unparsable",status=""} 1');
    expect(text).toContain('trunkline_sip_retransmissions_total{method="BYE"} 1');
    expect(text).not.toContain('GARBAGE');
  });

  it('are all in the documentation', async () => {
    const registry = new Registry();
    createCallObserver({
      registry,
      activeCalls: () => 0,
      maxCalls: () => 1,
      settingUp: () => 0,
      overload: () => null,
    });
    createUnfinishedGauge(registry, () => ({ stateEvents: 3, records: 4 }));
    expect(await registry.metrics()).toContain('trunkline_calls_unfinished{missing="records"} 4');
    createSipCounters(registry);
    createTrunkObserver(registry, () => new Map());
    const documentation = readFileSync(join(__dirname, '../../../docs/metrics.md'), 'utf8');
    const undocumented = registry.getMetricsAsArray().filter(({ name }) => !documentation.includes(`\`${name}\``));
    expect(undocumented.map(({ name }) => name)).toEqual([]);
  });
});
