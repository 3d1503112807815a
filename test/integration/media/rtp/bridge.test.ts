/** Two sessions connected in the real RTP thread, with real sockets on both sides. */
import { MessageChannel } from 'node:worker_threads';
import type { AudioCodec } from '../../../../contract/audio-codecs';
import type { AudioBatch } from '../../../../media/audio/audio-batch';
import { RTP_FORMATS } from '../../../../media/codec/rtp-format';
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import type { RtpRemote, RtpSession } from '../../../../media/rtp/rtp-session';
import { UdpPeer } from '../../../fakes/media/rtp/udp-peer';
import { amplitudeAt, rms, sine } from '../../../support/tones';

const PORT_MIN = 34_000 + Math.floor(Math.random() * 4000) * 2;
const HALF_A_SECOND = 4000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Leg {
  readonly peer: UdpPeer;
  readonly session: RtpSession;
  readonly digits: string[];
}

describe('sessions connected in the RTP thread', () => {
  const graphs: string[] = [];
  const faults: string[] = [];
  const engine = new ThreadedRtpEngine({
    portMin: PORT_MIN,
    portMax: PORT_MIN + 199,
    threads: 1,
    onGraph: (graph) => graphs.push(graph),
    onFault: (_, message) => faults.push(message),
  });
  const { port1, port2 } = new MessageChannel();
  const heardBy = new Map<number, number>();
  let a: Leg;
  let b: Leg;

  function remoteOf(peer: UdpPeer, codec: AudioCodec): RtpRemote {
    return {
      address: '127.0.0.1',
      port: peer.port,
      codec,
      payloadType: RTP_FORMATS[codec].payloadType,
      telephoneEventPayloadType: 101,
      signallingAddress: '127.0.0.1',
      send: true,
    };
  }

  async function open(codec: AudioCodec): Promise<Leg> {
    const peer = await UdpPeer.open('127.0.0.1', codec);
    const session = await engine.open({ localAddress: '127.0.0.1' });
    const digits: string[] = [];
    session.delegate = { onDtmf: (digit) => digits.push(digit) };
    session.setRemote(remoteOf(peer, codec));
    return { peer, session, digits };
  }

  const talk = (packets: number): Promise<unknown> =>
    Promise.all([a.peer.talk(a.session.localPort, 440, packets), b.peer.talk(b.session.localPort, 620, packets)]);

  beforeAll(async () => {
    await engine.start();
    engine.connectListener(() => port1);
    port2.on('message', ({ mediaIds, received }: AudioBatch) => {
      mediaIds.forEach((id, i) => heardBy.set(id, (heardBy.get(id) ?? 0) + received[i]!));
    });
  });

  afterAll(async () => {
    await engine.close();
    port2.close();
  });

  beforeEach(async () => {
    [a, b] = [await open('PCMU'), await open('PCMA')];
    graphs.length = 0;
  });

  afterEach(async () => {
    for (const { peer, session } of [a, b]) {
      await session.close();
      peer.close();
    }
    expect(faults).toEqual([]);
  });

  it('each peer hears the other’s tone in its own codec, and silence when they are parted', async () => {
    a.session.connect(b.session);
    await talk(50);
    await pause(60);
    const [heardByA, heardByB] = [a.peer.audio.subarray(-HALF_A_SECOND), b.peer.audio.subarray(-HALF_A_SECOND)];
    expect(amplitudeAt(heardByA, 620)).toBeGreaterThan(5000);
    expect(amplitudeAt(heardByB, 440)).toBeGreaterThan(5000);
    expect(amplitudeAt(heardByA, 440)).toBeLessThan(300);
    expect(amplitudeAt(heardByB, 620)).toBeLessThan(300);
    expect(b.peer.received.every(({ payloadType }) => payloadType === 8)).toBe(true);

    b.session.disconnect();
    await pause(60);
    const before = a.peer.received.length;
    await talk(20);
    expect(a.peer.received.length).toBeGreaterThan(before + 10);
    expect(rms(a.peer.audio.subarray(before * 160))).toBe(0);
    expect(graphs[0]).toContain(`session ${a.session.mediaId} ⇄ session ${b.session.mediaId}`);
    expect(graphs.slice(1)).toHaveLength(2);
  });

  it('a key of one is pressed once for the other and told to us', async () => {
    a.session.connect(b.session);
    await talk(5);
    a.peer.send(a.session.localPort, Uint8Array.of(9, 0x8a, 3, 32), 101);
    await pause(300);
    const events = b.peer.received.filter(({ payloadType }) => payloadType === 101);
    expect(new Set(events.map(({ payload, timestamp }) => `${payload[0]} ${timestamp}`)).size).toBe(1);
    expect(events[0]?.payload[0]).toBe(9);
    expect(a.digits).toEqual(['9']);
    expect(b.digits).toEqual([]);
  });

  it('when one closes the other goes on alone, and hears its background again', async () => {
    b.session.setBackground('music');
    a.session.connect(b.session);
    await talk(20);
    await a.session.close();
    await pause(60);
    const before = b.peer.audio.length;
    await pause(600);
    const alone = b.peer.audio.subarray(before);
    expect(rms(alone)).toBeGreaterThan(200);
    b.session.connect(a.session);
    b.session.play(1, sine(1000, 3200), true);
    await pause(600);
    expect(amplitudeAt(b.peer.audio.subarray(-6400), 1000)).toBeGreaterThan(2000);
  });

  it('the ear hears those that it is to hear', async () => {
    a.session.connect(b.session);
    b.session.listen(false);
    await pause(60);
    heardBy.clear();
    await talk(20);
    await pause(60);
    expect(heardBy.get(a.session.mediaId)).toBeGreaterThan(10);
    expect(heardBy.has(b.session.mediaId)).toBe(false);
  });

  it('one that cannot be connected ends alone', async () => {
    const ended = new Promise<void>((resolve) => (a.session.delegate = { onFailure: resolve }));
    a.session.connect(a.session);
    await ended;
    const before = b.peer.received.length;
    await pause(200);
    expect(b.peer.received.length).toBeGreaterThan(before + 3);
    expect(faults.splice(0)).toEqual([expect.stringContaining('itself')]);
  });
});
