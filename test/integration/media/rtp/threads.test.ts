/** Sessions spread over several RTP threads, with real sockets. */
import { MessageChannel } from 'node:worker_threads';
import type { AudioBatch } from '../../../../media/audio/audio-batch';
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import type { RtpRemote, RtpSession } from '../../../../media/rtp/rtp-session';
import type { ThreadedRtpSession } from '../../../../media/rtp/threaded-session';
import { UdpPeer } from '../../../fakes/media/rtp/udp-peer';
import { amplitudeAt } from '../../../support/tones';
import { waitFor } from '../../../support/wait-for';

/** Below the ports that the system gives to others. */
const PORT_MIN = 16_000 + Math.floor(Math.random() * 1500) * 2;
const TENTH_SAMPLES = 800;
const THREADS = 3;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const range = { portMin: PORT_MIN, portMax: PORT_MIN + 299 };
const engine = new ThreadedRtpEngine({ ...range, threads: THREADS, portsAhead: 16 });
const heard = new Set<number>();
const channels: MessageChannel[] = [];
const open: { readonly session: RtpSession; readonly peer: UdpPeer }[] = [];

beforeAll(async () => {
  await engine.start();
  engine.connectListener(() => {
    const channel = new MessageChannel();
    channels.push(channel);
    channel.port2.on('message', ({ mediaIds, received }: AudioBatch) =>
      mediaIds.forEach((mediaId, i) => received[i] === 1 && heard.add(mediaId)),
    );
    return channel.port1;
  });
});

afterAll(async () => {
  await engine.close();
  for (const { port2 } of channels) port2.close();
});

afterEach(async () => {
  for (const { session, peer } of open.splice(0)) {
    await session.close();
    peer.close();
  }
  expect(engine.sessionCount).toBe(0);
});

async function leg(beside?: RtpSession): Promise<{ readonly session: RtpSession; readonly peer: UdpPeer }> {
  const peer = await UdpPeer.open();
  const session = await engine.open({
    localAddress: '127.0.0.1',
    ...(beside === undefined ? {} : { beside: beside.mediaId }),
  });
  const remote: RtpRemote = {
    address: '127.0.0.1',
    port: peer.port,
    codec: 'PCMU',
    payloadType: 0,
    telephoneEventPayloadType: 101,
    signallingAddress: '127.0.0.1',
    send: true,
  };
  session.setRemote(remote);
  open.push({ session, peer });
  return { session, peer };
}

/** In any tenth of a second: a machine that stands still leaves gaps. */
function loudest({ audio }: UdpPeer, hz: number): number {
  const tenths = Math.floor(audio.length / TENTH_SAMPLES);
  return Math.max(
    ...Array.from({ length: tenths }, (_, n) =>
      amplitudeAt(audio.subarray(n * TENTH_SAMPLES, (n + 1) * TENTH_SAMPLES), hz),
    ),
  );
}

const threadOf = (session: RtpSession): unknown => (session as ThreadedRtpSession).worker;

it('calls are spread over all threads, each with ports of its own, and heard from each', async () => {
  const legs: (typeof open)[number][] = [];
  for (let i = 0; i < 2 * THREADS; i++) legs.push(await leg());
  const threads = [...new Set(legs.map(({ session }) => threadOf(session)))];
  const ranges = threads.map((thread) =>
    legs
      .filter(({ session }) => threadOf(session) === thread)
      .map(({ session }) => Math.floor((session.localPort - PORT_MIN) / 100)),
  );
  expect(ranges).toEqual([[0, 0], [1, 1], [2, 2]]); // prettier-ignore
  await Promise.all(legs.map(({ session, peer }) => peer.talk(session.localPort, 440, 10)));
  await pause(60);
  expect([...heard].toSorted((a, b) => a - b)).toEqual(legs.map(({ session }) => session.mediaId));
  for (const { peer } of legs) expect(peer.received.length).toBeGreaterThan(5);
});

it('all legs of a call are in one thread, and hear each other', async () => {
  const calls = [await leg(), await leg()];
  for (const { session, peer } of calls) {
    const far = await leg(session);
    const supervisor = await leg(session);
    expect(threadOf(far.session)).toBe(threadOf(session));
    expect(threadOf(supervisor.session)).toBe(threadOf(session));
    session.connect(far.session);
    supervisor.session.supervise(session, 'listen');
    await Promise.all([peer.talk(session.localPort, 440, 50), far.peer.talk(far.session.localPort, 620, 50)]);
    expect(loudest(peer, 620)).toBeGreaterThan(5000);
    expect(loudest(far.peer, 440)).toBeGreaterThan(5000);
    expect(loudest(supervisor.peer, 440)).toBeGreaterThan(3000);
  }
});

it('refuses to join sessions of two threads instead of losing the audio in silence', async () => {
  const [one, other] = [await leg(), await leg()];
  expect(() => one.session.connect(other.session)).toThrow('another RTP thread');
  expect(() => one.session.supervise(other.session, 'barge')).toThrow('another RTP thread');
});

it('once ports are prepared a session opens without a question to its thread', async () => {
  for (let i = 0; i < THREADS; i++) await leg();
  const opensAtOnce = async (): Promise<boolean> => {
    let session: RtpSession | null = null;
    const opening = engine.open({ localAddress: '127.0.0.1' }).then((opened) => (session = opened));
    // Only promises, no message: the event loop does not turn here.
    for (let i = 0; i < 10; i++) await Promise.resolve();
    const atOnce = session !== null;
    expect(await (await opening).close()).toMatchObject({ packetsSent: 0 });
    return atOnce;
  };
  await waitFor('a prepared port', 5_000, async () => (await opensAtOnce()) || undefined);
});

it('a port is prepared again for each that was taken, and all can be used', async () => {
  const ports = new Set<number>();
  for (let i = 0; i < 40; i++) {
    const { session } = await leg();
    ports.add(session.localPort);
    if (i % 5 === 0) await pause(10);
  }
  expect(ports.size).toBe(40);
  await pause(100);
  for (const { peer } of open) expect(peer.received.length).toBeGreaterThan(0);
});

it('opens calls in another thread when one has no port left, and no leg elsewhere than its call', async () => {
  const narrow = new ThreadedRtpEngine({ portMin: PORT_MIN + 400, portMax: PORT_MIN + 403, threads: 2 });
  await narrow.start();
  try {
    const [first, second] = [await narrow.open({ localAddress: '127.0.0.1' }), await narrow.open({ localAddress: '127.0.0.1' })]; // prettier-ignore
    expect([first.localPort, second.localPort].toSorted((a, b) => a - b)).toEqual([PORT_MIN + 400, PORT_MIN + 402]);
    await expect(narrow.open({ localAddress: '127.0.0.1', beside: first.mediaId })).rejects.toMatchObject({ code: 'no_port' }); // prettier-ignore
    await expect(narrow.open({ localAddress: '127.0.0.1' })).rejects.toMatchObject({ code: 'no_port' });
  } finally {
    await narrow.close();
  }
});
