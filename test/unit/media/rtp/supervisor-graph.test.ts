/** Who hears whom while somebody listens in. */
import type { AudioCodec } from '../../../../contract/audio-codecs';
import type { SuperviseMode } from '../../../../contract/supervision';
import { GraphBench } from '../../../fakes/media/rtp/graph-bench';
import type { Leg } from '../../../fakes/media/rtp/graph-bench';
import { amplitudeAt, rms, sine } from '../../../support/tones';

const SECOND = 50;
const LOUD = 4000;
const QUIET = 100;
const CALLER_HZ = 440;
const FAR_HZ = 620;
const SUPERVISOR_HZ = 1000;
const AGENT_HZ = 1500;
const VOICES = { caller: CALLER_HZ, far: FAR_HZ, supervisor: SUPERVISOR_HZ, agent: AGENT_HZ } as const;

type Voice = keyof typeof VOICES;

class Room {
  readonly bench = new GraphBench();
  readonly caller: Leg;
  readonly far: Leg;
  readonly supervisor: Leg;
  /** What the caller's ear hears, and of what it is told that it was sent. */
  readonly ear = { pcm: [] as number[], sent: [] as number[] };

  constructor(codecs: readonly [AudioCodec, AudioCodec, AudioCodec] = ['PCMU', 'PCMU', 'PCMU']) {
    const [caller, far, supervisor] = codecs.map((codec) => this.bench.add({ codec })) as [Leg, Leg, Leg];
    this.caller = caller;
    this.far = far;
    this.supervisor = supervisor;
    caller.saysTone(CALLER_HZ, 6000);
    far.saysTone(FAR_HZ, 6000);
    supervisor.saysTone(SUPERVISOR_HZ, 6000);
    const { tap } = caller.bench;
    tap.frame = (pcm, _received, sent) => {
      this.ear.pcm.push(...pcm);
      this.ear.sent.push(...(sent ?? []));
    };
    this.bench.run(10);
  }

  supervise(mode: SuperviseMode): void {
    this.bench.graph.supervise(3, 1, mode);
  }

  agentSpeaks(): void {
    this.caller.bench.session.sources.queue.play(1, sine(AGENT_HZ, 8000 * 10, 6000), true);
  }

  /** For a second: whom each of them hears. */
  whoHears(): Record<'caller' | 'far' | 'supervisor' | 'ear', Voice[]> {
    const from = this.bench.legs.map((leg) => leg.bench.rtp.length);
    this.ear.pcm.length = 0;
    this.bench.run(SECOND);
    return {
      caller: heardIn(this.caller.heard(from[0])),
      far: heardIn(this.far.heard(from[1])),
      supervisor: heardIn(this.supervisor.heard(from[2])),
      ear: heardIn(Int16Array.from(this.ear.pcm)),
    };
  }
}

/** Each voice is there or is not: nothing between. */
function heardIn(pcm: Int16Array): Voice[] {
  return (Object.keys(VOICES) as Voice[]).filter((voice) => {
    const amplitude = amplitudeAt(pcm, VOICES[voice]);
    if (amplitude > QUIET && amplitude < LOUD) throw new Error(`${voice}: ${amplitude}`);
    return amplitude >= LOUD;
  });
}

describe('a supervisor of a caller who talks to the agent', () => {
  it.each([
    ['listen', ['agent'], ['caller']],
    ['whisper', ['agent'], ['caller']],
    ['barge', ['supervisor', 'agent'], ['caller', 'supervisor']],
  ] as const)('by %s hears both sides; the caller hears %j, the ear %j', (mode, caller, ear) => {
    const room = new Room();
    room.agentSpeaks();
    room.supervise(mode);
    room.bench.run(3);
    expect(room.whoHears()).toEqual({ caller, far: [], supervisor: ['caller', 'agent'], ear });
  });
});

describe('a supervisor of a caller who was handed over', () => {
  it.each([
    ['listen', ['far'], ['caller']],
    ['whisper', ['far'], ['caller', 'supervisor']],
    ['barge', ['far', 'supervisor'], ['caller', 'supervisor']],
  ] as const)('by %s hears both; the caller hears %j, the far end %j', (mode, caller, far) => {
    const room = new Room(['PCMU', 'PCMA', 'PCMU']);
    room.bench.graph.connect(1, 2);
    room.supervise(mode);
    room.bench.run(3);
    expect(room.whoHears()).toMatchObject({ caller, far, supervisor: ['caller', 'far'] });
  });

  it('keeps the mode when that happens meanwhile, and when the two are parted', () => {
    const room = new Room();
    room.supervise('whisper');
    room.bench.graph.connect(1, 2);
    room.bench.run(3);
    expect(room.whoHears()).toMatchObject({ caller: ['far'], far: ['caller', 'supervisor'] });
    room.bench.graph.disconnect(2);
    room.bench.run(3);
    expect(room.whoHears()).toMatchObject({ caller: [], far: [], supervisor: ['caller'] });
  });
});

it('a mode is changed in the middle, and whoever leaves is heard no more', () => {
  const room = new Room(['PCMA', 'PCMU', 'PCMA']);
  room.bench.graph.connect(1, 2);
  for (const [mode, caller, far] of [
    ['barge', ['far', 'supervisor'], ['caller', 'supervisor']],
    ['listen', ['far'], ['caller']],
    ['whisper', ['far'], ['caller', 'supervisor']],
    ['barge', ['far', 'supervisor'], ['caller', 'supervisor']],
  ] as const) {
    room.supervise(mode);
    room.bench.run(3);
    expect(room.whoHears()).toMatchObject({ caller, far, supervisor: ['caller', 'far'] });
  }
  room.bench.close(room.supervisor);
  room.bench.legs.pop();
  const from = room.caller.bench.rtp.length;
  room.bench.run(SECOND);
  expect(heardIn(room.caller.heard(from))).toEqual(['far']);
});

it('the caller’s stream goes on without a gap, whatever the supervisor does', () => {
  const room = new Room();
  for (const mode of ['listen', 'whisper', 'barge', 'listen'] as const) {
    room.supervise(mode);
    room.bench.run(7);
  }
  room.bench.graph.remove(3);
  room.bench.run(7);
  const { sent } = room.caller.bench;
  sent.slice(1).forEach((packet, i) => {
    expect(packet.ssrc).toBe(sent[0]?.ssrc);
    expect(packet.sequenceNumber).toBe((sent[i]!.sequenceNumber + 1) & 0xffff);
    expect(packet.timestamp).toBe((sent[i]!.timestamp + 160) >>> 0);
  });
});

it('both sides keep their places in time: what is sent in a tick is mixed with what was read in it', () => {
  const room = new Room();
  room.agentSpeaks();
  room.supervise('listen');
  room.bench.run(1);
  for (let round = 0; round < 20; round++) {
    room.ear.pcm.length = room.ear.sent.length = 0;
    room.caller.tick(0);
    const both = room.ear.pcm.map((sample, i) => sample + room.ear.sent[i]!);
    room.far.tick(0);
    room.supervisor.tick(0);
    expect([...room.supervisor.bench.sentPcm!]).toEqual(both);
  }
});

it('voices that are as loud as can be stay below the largest sample', () => {
  const room = new Room();
  room.caller.saysTone(CALLER_HZ, 32_000);
  room.far.saysTone(FAR_HZ, 32_000);
  room.supervisor.saysTone(SUPERVISOR_HZ, 32_000);
  room.bench.graph.connect(1, 2);
  room.supervise('barge');
  room.bench.run(10);
  const from = room.caller.bench.rtp.length;
  room.bench.run(SECOND);
  expect(Math.max(...room.caller.heard(from).map(Math.abs))).toBeLessThan(32_767);
  expect(amplitudeAt(room.caller.heard(from), SUPERVISOR_HZ)).toBeGreaterThan(12_000);
});

it('keys of the supervisor are nobody’s, and it is pressed none', () => {
  const room = new Room();
  room.bench.graph.connect(1, 2);
  room.supervise('barge');
  room.supervisor.press(5);
  room.caller.press(6);
  room.bench.run(20);
  expect([room.caller.keys, room.far.keys, room.supervisor.keys]).toEqual([[], [6], []]);
});

it('one supervises one: a second takes its place, and one that is gone leaves the other alone', () => {
  const room = new Room();
  const second = room.bench.add();
  room.supervise('barge');
  room.bench.graph.supervise(4, 1, 'listen');
  room.bench.run(3);
  expect(room.whoHears()).toMatchObject({ caller: [], supervisor: [] });
  room.bench.graph.remove(1);
  room.bench.legs.shift();
  const from = second.bench.rtp.length;
  room.bench.run(SECOND);
  expect(rms(second.heard(from))).toBe(0);
  expect(second.bench.rtp).toHaveLength(from + SECOND);
  room.bench.graph.supervise(4, 1, 'listen');
  expect(() => room.bench.graph.supervise(4, 4, 'listen')).toThrow(RangeError);
});

it('the graph says in words who supervises', () => {
  const room = new Room();
  room.bench.graph.connect(1, 2);
  room.supervise('whisper');
  room.supervise('whisper');
  room.bench.graph.remove(3);
  expect(room.bench.changes.slice(1)).toEqual([
    'session 1 ⇄ session 2; 1: source: agent, session 2, tap: ear, session 2, supervisor 3; 2: source: agent, session 1, supervisor 3, tap: ear, session 1; 3: supervises 1, whisper: source: both sides of session 1',
    'session 1 ⇄ session 2; 1: source: agent, session 2, tap: ear, session 2; 2: source: agent, session 1, tap: ear, session 1',
  ]);
});
