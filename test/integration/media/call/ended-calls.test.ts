/** What a node still holds of a call once it has ended, with its SIP and its RTP thread. */
import pino from 'pino';
import {
  BENCH_IDENTITY,
  createBenchDirectory,
  createEchoAgent,
  UNLIMITED_CAPACITY,
} from '../../../../media-node/bench-mode';
import type { AgentFactory } from '../../../../media';
import { systemClock } from '../../../../media/clock';
import { MediaService } from '../../../../media/media-service';
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import { SipServer } from '../../../../media/sip/sip-server';
import { Caller } from '../../../fakes/media/sip/caller';
import { SipPeer } from '../../../fakes/media/sip/sip-peer';
import { until } from '../../../fakes/media/sip/test-endpoint';
import { NO_OBSERVER } from '../../../fakes/no-observer';
import { RecordingEvents } from '../../../fakes/recording-events';
import { collectGarbage, heapPerRepetition } from '../../../support/collect-garbage';
import { freePort, rtpPortRange } from '../../../support/free-ports';

const held: Record<string, WeakRef<object>> = {};
const events = new RecordingEvents();
const ports = rtpPortRange();
const rtp = new ThreadedRtpEngine({ portMin: ports.min, portMax: ports.max });
let server: SipServer;
let node: MediaService;
let peer: SipPeer;

/** An echo that notes what it is given. */
const createAgent: AgentFactory = (persona, session, delegate) => {
  const agent = createEchoAgent(persona, session, delegate);
  Object.assign(held, {
    agent: new WeakRef(agent),
    persona: new WeakRef(persona),
    'RTP session': new WeakRef(session),
    'delegate of the agent': new WeakRef(delegate),
  });
  return agent;
};

beforeAll(async () => {
  await rtp.start();
  const port = await freePort();
  node = new MediaService({
    nodeId: 'node-1',
    bootId: 'boot-1',
    maxCalls: 100,
    clock: systemClock,
    events,
    directory: createBenchDirectory(),
    rtp,
    createAgent,
    capacity: UNLIMITED_CAPACITY,
    observer: NO_OBSERVER,
    logger: pino({ level: 'silent' }),
    createEndpoint: (delegate) =>
      (server = new SipServer({
        delegate,
        listen: [{ host: '127.0.0.1', port }],
        nonceKey: Buffer.alloc(32, 1),
        authentication: 'none',
        anonymousIdentity: BENCH_IDENTITY,
      })),
  });
  await node.open();
  peer = await SipPeer.udp(port);
});

afterAll(async () => {
  SipPeer.closeAll();
  await node.close();
  await rtp.close();
});

async function call(): Promise<void> {
  const caller = new Caller(peer, server.addresses[0]!.port);
  peer.send(caller.invite());
  caller.establish(await peer.response(200));
  peer.send(caller.request('ACK'));
  caller.cseq += 1;
  peer.send(caller.request('BYE'));
  await peer.response(200, 'BYE');
  await until(() => node.calls.size === 0);
  peer.received.length = 0;
  events.all.length = 0;
}

it('neither agent nor media of it, while its transactions wait for the last of their timers', async () => {
  await call();
  await collectGarbage();
  expect(server.dialogCount).toBe(1);
  expect(Object.keys(held)).toHaveLength(4);
  expect(Object.keys(held).filter((name) => held[name]!.deref() !== undefined)).toEqual([]);
});

it('less than 8 KB of the heap', async () => {
  const before = server.dialogCount;
  expect(await heapPerRepetition(150, call)).toBeLessThan(8 * 1024);
  expect(server.dialogCount).toBe(before + 300);
});
