/** The socket of a session while it is connected to its peer, on real sockets: what that must not cost. */
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import type { RtpRemote, RtpSession } from '../../../../media/rtp/rtp-session';
import { UdpPeer } from '../../../fakes/media/rtp/udp-peer';

/** Below the ports that the system gives to others. */
const PORT_MIN = 20_000 + Math.floor(Math.random() * 1500) * 2;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const engine = new ThreadedRtpEngine({ portMin: PORT_MIN, portMax: PORT_MIN + 199, threads: 1 });
const peers: UdpPeer[] = [];
let session: RtpSession;
let peer: UdpPeer;

async function openPeer(address = '127.0.0.1', port = 0): Promise<UdpPeer> {
  const opened = await UdpPeer.open(address, 'PCMU', port);
  peers.push(opened);
  return opened;
}

const remoteOf = (at: UdpPeer): RtpRemote => ({
  address: '127.0.0.1',
  port: at.port,
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: null,
  signallingAddress: '127.0.0.1',
  send: true,
});

beforeAll(() => engine.start());
afterAll(() => engine.close());

beforeEach(async () => {
  peer = await openPeer();
  session = await engine.open({ localAddress: '127.0.0.1' });
  session.setRemote(remoteOf(peer));
  await peer.talk(session.localPort, 440, 10);
  expect(peer.received.length).toBeGreaterThan(5);
});

afterEach(async () => {
  for (const open of peers.splice(0)) open.close();
  await session.close();
});

/** How many packets come to this one in 200 ms. */
async function hears(at: UdpPeer): Promise<number> {
  at.received.length = 0;
  await pause(200);
  return at.received.length;
}

it('keeps out what others send', async () => {
  const stranger = await openPeer();
  await Promise.all([peer.talk(session.localPort, 440, 15), stranger.talk(session.localPort, 440, 15)]);
  expect(await hears(stranger)).toBe(0);
  expect(await session.close()).toMatchObject({ packetsReceived: 25 });
});

it('a peer that moves to another port is followed once it was silent for half a second', async () => {
  await pause(550);
  peer.moveTo(await openPeer());
  const moved = peers.at(-1)!;
  await peer.talk(session.localPort, 440, 10);
  expect(await hears(moved)).toBeGreaterThan(5);
});

it('a peer that is named at another port is sent to there at once', async () => {
  const other = await openPeer();
  session.setRemote(remoteOf(other));
  expect(await hears(other)).toBeGreaterThan(5);
  expect(await hears(peer)).toBe(0);
  await other.talk(session.localPort, 440, 10);
  expect(await hears(other)).toBeGreaterThan(5);
});

it('a peer whose port was closed for a while, which the kernel tells by errors, is heard and hears again', async () => {
  const { port } = peer;
  peer.close();
  peers.splice(peers.indexOf(peer), 1);
  await pause(150);
  const back = await openPeer('127.0.0.1', port);
  expect(await hears(back)).toBeGreaterThan(5);
  await back.talk(session.localPort, 440, 10);
  expect((await session.close()).packetsReceived).toBeGreaterThanOrEqual(18);
});
