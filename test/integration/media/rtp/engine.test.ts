/** The engine with its worker thread and real sockets on loopback. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import type { AudioBatch } from '../../../../media/audio/audio-batch';
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import type { RtpPacket } from '../../../support/rtp-packet';
import type { RtpRemote, RtpSession } from '../../../../media/rtp/rtp-session';
import { UdpPeer } from '../../../fakes/media/rtp/udp-peer';
import { amplitudeAt, sine } from '../../../support/tones';

const PORT_MIN = 24_000 + Math.floor(Math.random() * 4000) * 2;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('ThreadedRtpEngine', () => {
  const faults: string[] = [];
  const engine = new ThreadedRtpEngine({
    portMin: PORT_MIN,
    portMax: PORT_MIN + 199,
    threads: 1,
    onFault: (_, message) => faults.push(message),
  });
  const { port1, port2 } = new MessageChannel();
  const batches: AudioBatch[] = [];
  let peer: UdpPeer;
  let session: RtpSession;

  const remote = (change: Partial<RtpRemote> = {}): RtpRemote => ({
    address: '127.0.0.1',
    port: peer.port,
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    signallingAddress: '127.0.0.1',
    send: true,
    ...change,
  });

  beforeAll(async () => {
    await engine.start();
    engine.connectListener(() => port1);
    port2.on('message', (batch: AudioBatch) => batches.push(batch));
  });

  afterAll(async () => {
    await engine.close();
    port2.close();
  });

  beforeEach(async () => {
    batches.length = 0;
    peer = await UdpPeer.open();
    session = await engine.open({ localAddress: '127.0.0.1' });
  });

  afterEach(async () => {
    await session.close();
    peer.close();
    expect(engine.sessionCount).toBe(0);
  });

  const mayBeRealTime = spawnSync('chrt', ['--rr', '1', 'true']).status === 0;
  (mayBeRealTime ? it : it.skip)('sends from a thread that others do not keep waiting (SCHED_RR)', () => {
    // proc(5): field 41 is the policy, 2 = SCHED_RR; counted from behind the name, which is field 2.
    const policies = readdirSync('/proc/self/task').map((thread) => {
      const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3];
    });
    expect(policies.filter((policy) => policy === '2')).toHaveLength(1);
  });

  it('opens even ports of its range', () => {
    expect(session.localPort % 2).toBe(0);
    expect(session.localPort).toBeGreaterThanOrEqual(PORT_MIN);
    expect(session.localPort).toBeLessThan(PORT_MIN + 199);
    expect(engine.sessionCount).toBe(1);
  });

  it('sends a packet every 20 ms from the moment the remote side is known, and plays to the last sample', async () => {
    const finished = new Promise<number>((resolve) => (session.delegate = { onPlaybackFinished: resolve }));
    session.play(5, sine(440, 8000), true);
    session.setRemote(remote());
    await expect(finished).resolves.toBe(5);
    await pause(100);
    expect(await session.clear()).toEqual(new Map([[5, 8000]]));
    const { audio, received } = peer;
    expect(received.length).toBeGreaterThanOrEqual(50);
    expect(amplitudeAt(audio.subarray(0, 8000), 440)).toBeGreaterThan(7500);
    received.slice(1).forEach((packet, i) => {
      // More than one frame only where this machine stalled for longer than one.
      const ticks = (packet.timestamp - (received[i] as RtpPacket).timestamp) >>> 0;
      expect(ticks % 160).toBe(0);
      expect(ticks).toBeLessThan(160 * 10);
    });
  });

  it('tells when the first packet went, on the clock of the main thread', async () => {
    const startMs = performance.timeOrigin + performance.now();
    const sentMs = await new Promise<number>((resolve) => {
      session.delegate = { onFirstPacketSent: resolve };
      session.setRemote(remote());
    });
    const toldMs = performance.timeOrigin + performance.now();
    // Clocks of two threads agree to less than a millisecond, their origins lie much further apart.
    expect(sentMs).toBeGreaterThan(startMs - 2);
    expect(sentMs).toBeLessThan(toldMs + 2);
  });

  it('hands the audio it hears to the listener in batches of all sessions', async () => {
    session.setRemote(remote());
    await peer.talk(session.localPort, 700, 25);
    await pause(60);
    const frames = batches.flatMap(({ mediaIds, pcm, received }) =>
      [...mediaIds].map((mediaId, i) => ({
        mediaId,
        received: received[i],
        pcm: pcm.subarray(i * 160, (i + 1) * 160),
      })),
    );
    const heard = frames.filter(({ mediaId, received }) => mediaId === session.mediaId && received === 1);
    expect(heard.length).toBeGreaterThanOrEqual(22);
    expect(amplitudeAt(heard[10]?.pcm as Int16Array, 700)).toBeGreaterThan(7000);
  });

  it('tells the listener with each frame what left in the same tick, zeros where nothing did', async () => {
    session.setRemote(remote());
    await pause(100);
    const tone = sine(440, 1600);
    session.play(1, tone, true);
    await pause(300);
    const sent = batches.flatMap(({ mediaIds, sent: all }) =>
      [...mediaIds].flatMap((mediaId, i) =>
        mediaId === session.mediaId ? [all.subarray(i * 160, (i + 1) * 160)] : [],
      ),
    );
    const loud = sent.filter((frame) => frame.some((sample) => sample !== 0));
    expect(Int16Array.from(loud.flatMap((frame) => [...frame]))).toEqual(tone);
    expect(sent[0]).toEqual(new Int16Array(160));
    expect(sent.at(-1)).toEqual(new Int16Array(160));
  });

  it('stops within a frame on clear and tells exactly what was heard', async () => {
    session.setRemote(remote());
    session.play(1, sine(440, 16_000), true);
    await pause(200);
    const samples = await session.clear();
    const heard = samples.get(1) as number;
    expect(heard % 160).toBe(0);
    await pause(100);
    const spoken = peer.received.filter(({ payload }) => payload.some((octet) => octet !== 0xff));
    expect(spoken.length * 160).toBe(heard);
    expect(await session.clear()).toEqual(new Map());
  });

  it('echoes with its own clock', async () => {
    session.echo();
    session.setRemote(remote());
    await peer.talk(session.localPort, 500, 40);
    await pause(60);
    expect(amplitudeAt(peer.audio.subarray(-4000), 500)).toBeGreaterThan(6500);
  });

  it('hears digits', async () => {
    const digits: string[] = [];
    session.delegate = { onDtmf: (digit) => digits.push(digit) };
    session.setRemote(remote());
    await peer.talk(session.localPort, 500, 2);
    peer.send(session.localPort, Uint8Array.of(11, 0x8a, 3, 32), 101);
    await pause(60);
    expect(digits).toEqual(['#']);
  });

  it('drops what another host sends', async () => {
    session.setRemote(remote({ address: '127.0.0.9', signallingAddress: '127.0.0.9' }));
    await peer.talk(session.localPort, 500, 10);
    expect(await session.close()).toMatchObject({ packetsReceived: 0, packetsForeign: 10 });
  });

  it('sends to a private address in SDP only where that is allowed, else to where the peer is heard from', async () => {
    const named = await UdpPeer.open('127.0.0.9');
    const sdp = { address: '127.0.0.9', port: named.port };
    const range = { portMin: PORT_MIN + 1000, portMax: PORT_MIN + 1100 };
    const strict = new ThreadedRtpEngine({ ...range, allowPrivateTargets: false });
    try {
      session.setRemote(remote(sdp));
      await pause(60);
      expect(named.received.length).toBeGreaterThan(0);
      await session.close();
      await pause(20);
      named.received.length = 0;

      await strict.start();
      const unheard = await strict.open({ localAddress: '127.0.0.1' });
      unheard.setRemote(remote(sdp));
      await named.talk(unheard.localPort, 500, 6);
      expect(await unheard.close()).toMatchObject({ packetsSent: 0, packetsReceived: 0, packetsForeign: 6 });
      const other = await strict.open({ localAddress: '127.0.0.1' });
      other.setRemote(remote(sdp));
      await named.talk(other.localPort, 500, 6);
      await peer.talk(other.localPort, 500, 10);
      expect(peer.received.length).toBeGreaterThan(0);
      expect(named.received).toEqual([]);
    } finally {
      named.close();
      await strict.close();
    }
  });

  it('a port that another process holds is passed over', async () => {
    const narrow = new ThreadedRtpEngine({ portMin: session.localPort, portMax: session.localPort + 3 });
    await narrow.start();
    const other = await narrow.open({ localAddress: '127.0.0.1' });
    expect(other.localPort).toBe(session.localPort + 2);
    await expect(narrow.open({ localAddress: '127.0.0.1' })).rejects.toMatchObject({ code: 'no_port' });
    await narrow.close();
  });

  it('binds any address when the public one is not of this host', async () => {
    const public_ = await engine.open({ localAddress: '203.0.113.80' });
    public_.setRemote(remote());
    await pause(60);
    expect(peer.received.length).toBeGreaterThan(0);
    expect(await public_.close()).toMatchObject({ packetsLost: 0 });
  });

  it('an error in one session is told, ends that call alone, and leaves the thread to the others', async () => {
    const broken = await engine.open({ localAddress: '127.0.0.1' });
    const ended = new Promise<void>((resolve) => (broken.delegate = { onFailure: resolve }));
    session.setRemote(remote());
    broken.setRemote(remote({ port: 70_000 }));
    await ended;
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('70000');
    const before = peer.received.length;
    await pause(200);
    expect(peer.received.length).toBeGreaterThan(before + 3);
    await broken.close();
  });

  it('a command that throws in the thread ends its session alone, also beside commands of others', async () => {
    const before = faults.length;
    const broken = await engine.open({ localAddress: '127.0.0.1' });
    const ended = new Promise<void>((resolve) => (broken.delegate = { onFailure: resolve }));
    broken.setRemote(undefined as never);
    session.setRemote(remote());
    await ended;
    await pause(100);
    expect(faults.slice(before)).toEqual([expect.stringContaining('TypeError')]);
    expect(peer.received.length).toBeGreaterThan(2);
    await expect(broken.close()).resolves.toMatchObject({ packetsSent: 0 });
  });

  it('a command that cannot be sent to the thread ends its session alone', async () => {
    const broken = await engine.open({ localAddress: '127.0.0.1' });
    const ended = new Promise<void>((resolve) => (broken.delegate = { onFailure: resolve }));
    broken.setRemote(remote({ address: Symbol('not cloneable') as never }));
    session.setRemote(remote());
    await ended;
    await pause(60);
    expect(peer.received.length).toBeGreaterThan(0);
    await broken.close();
  });

  it('a command without a session that throws leaves every session alone', async () => {
    const before = faults.length;
    engine.connectListener(() => ({}) as never);
    session.setRemote(remote());
    await pause(100);
    expect(faults).toHaveLength(before + 1);
    expect(peer.received.length).toBeGreaterThan(2);
  });

  it('a handler that fails keeps no other session from its news', async () => {
    const before = faults.length;
    const failing = await engine.open({ localAddress: '127.0.0.1' });
    failing.delegate = {
      onFirstPacketSent: () => {
        throw new Error('handler');
      },
    };
    const told = new Promise<number>((resolve) => (session.delegate = { onFirstPacketSent: resolve }));
    failing.setRemote(remote());
    session.setRemote(remote());
    await told;
    expect(faults.slice(before)).toEqual([expect.stringContaining('handler')]);
    await failing.close();
  });

  it('closes while a session is being opened', async () => {
    const closing = new ThreadedRtpEngine({ portMin: PORT_MIN + 2000, portMax: PORT_MIN + 2100 });
    await closing.start();
    const opened = closing.open({ localAddress: '127.0.0.1' });
    await Promise.all([closing.close(), expect(opened).rejects.toMatchObject({ code: 'closed' })]);
  });

  it('answers with an error after the session or the engine is closed', async () => {
    const other = await engine.open({ localAddress: '127.0.0.1' });
    const stats = await other.close();
    expect(await other.close()).toBe(stats);
    await expect(other.clear()).rejects.toMatchObject({ code: 'closed' });
    const gone = new ThreadedRtpEngine({ portMin: 1, portMax: 2 });
    await expect(gone.open({ localAddress: '127.0.0.1' })).rejects.toMatchObject({ code: 'closed' });
    await gone.close();
  });
});
