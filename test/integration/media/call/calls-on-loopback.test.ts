import { createSocket, type Socket } from 'node:dgram';
import pino from 'pino';
import type { CallDirectory } from '../../../../contract/directory';
import type { CallEvent } from '../../../../contract/events';
import { BENCH_IDENTITY, createBenchDirectory, createEchoAgent } from '../../../../media-node/bench-mode';
import { systemClock } from '../../../../media/clock';
import { MediaService } from '../../../../media/media-service';
import { ThreadedRtpEngine } from '../../../../media/rtp/engine';
import { SipServer } from '../../../../media/sip/sip-server';
import { FakeCapacity } from '../../../fakes/fake-capacity';
import { NO_OBSERVER } from '../../../fakes/no-observer';
import { RecordingEvents } from '../../../fakes/recording-events';
import { freePort, rtpPortRange } from '../../../support/free-ports';
import { hasSipp, runSipp } from '../../../support/sipp';

const describeWithSipp = hasSipp() ? describe : describe.skip;

/** SIP, calls and RTP of a node in bench mode, on real sockets. */
describeWithSipp('calls of a media node on loopback', () => {
  const events = new RecordingEvents();
  const ports = rtpPortRange();
  const rtp = new ThreadedRtpEngine({ portMin: ports.min, portMax: ports.max });
  let directory: CallDirectory = createBenchDirectory();
  let node: MediaService;
  let sipPort: number;

  beforeAll(async () => {
    await rtp.start();
    sipPort = await freePort();
    node = new MediaService({
      nodeId: 'node-1',
      bootId: 'boot-1',
      maxCalls: 100,
      clock: systemClock,
      events,
      directory: { ...directory, startInbound: (...given) => directory.startInbound(...given) },
      rtp,
      createAgent: createEchoAgent,
      capacity: new FakeCapacity(),
      observer: NO_OBSERVER,
      logger: pino({ level: 'silent' }),
      createEndpoint: (delegate) =>
        new SipServer({
          delegate,
          listen: [{ host: '127.0.0.1', port: sipPort }],
          nonceKey: Buffer.alloc(32, 1),
          authentication: 'none',
          anonymousIdentity: BENCH_IDENTITY,
        }),
    });
    await node.open();
  });

  afterEach(() => {
    events.all.length = 0;
    directory = createBenchDirectory();
  });

  afterAll(async () => {
    await node.close();
    await rtp.close();
  });

  it('answers and ends 40 calls at 20 a second, each with one ending and gapless events', async () => {
    await runSipp({ scenario: 'bench-call.xml', remotePort: sipPort, calls: 40, perSecond: 20 });
    await emptied();
    const calls = byCall(events.all);
    expect(calls.size).toBe(40);
    for (const [, list] of calls) {
      expect(list.map(({ seq }) => seq)).toEqual(list.map((_, index) => index + 1));
      expect(list.filter(({ type }) => type === 'ended')).toHaveLength(1);
      expect(list.at(-1)).toMatchObject({
        type: 'ended',
        ending: { disposition: 'answered', endReason: 'caller_hangup' },
      });
      expect(ladderOf(list)).toEqual([
        'in INVITE',
        'out INVITE 100',
        'out INVITE 180',
        'out INVITE 200',
        'in ACK',
        'in BYE',
        'out BYE 200',
      ]);
    }
    expect(rtp.sessionCount).toBe(0);
  });

  it('sends the caller’s audio back and hangs up by command with a Reason', async () => {
    const phone = await RtpPhone.open();
    const call = runSipp({
      scenario: 'hang-up-by-peer.xml',
      remotePort: sipPort,
      keys: { rtp_port: String(phone.port) },
    });
    await until(() => phone.received > 0);
    phone.talkTo(phone.lastFrom);
    await until(() => phone.tonePackets >= 10);
    const callId = node.control.listCalls()[0]!.callId;
    const result = await node.control.control({
      callId,
      commandId: 'c1',
      bootId: 'boot-1',
      control: { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' },
    });
    expect(result).toEqual({ ok: true });
    await call;
    await emptied();
    phone.close();
    const [ended] = events.ended(callId);
    expect(ended?.ending).toMatchObject({ disposition: 'answered', endReason: 'api_hangup', endedBy: 'api' });
    expect(ended?.metrics.packetLossPct).toBe(0);
  });

  it('answers a CANCEL with 487 while the workflow’s start is pending, and the started workflow hears of it', async () => {
    directory = {
      ...createBenchDirectory(),
      startInbound: () =>
        new Promise((resolve) => {
          setTimeout(() => resolve({ ok: true, callId: 'late', sessionId: 's' }), 600);
        }),
    };
    await runSipp({ scenario: 'cancel-early.xml', remotePort: sipPort });
    await until(() => events.ended('late').length === 1);
    expect(events.ended('late')[0]?.ending).toMatchObject({ disposition: 'canceled', endedBy: 'caller' });
    expect(ladderOf(events.ofCall('late'))).not.toContain('out INVITE 180');
    await emptied();
  });

  it('offers in its 200 to an INVITE without offer, goes on hold and comes back', async () => {
    await runSipp({ scenario: 'delayed-offer-and-hold.xml', remotePort: sipPort });
    await emptied();
    expect(events.all.at(-1)).toMatchObject({ type: 'ended', ending: { endReason: 'caller_hangup' } });
  });

  it('goes on with the media it had when re-offers come to nothing', async () => {
    const phone = await RtpPhone.open();
    const keys = { rtp_port: String(phone.port) };
    await runSipp({ scenario: 'reoffers-in-vain.xml', remotePort: sipPort, keys });
    await emptied();
    // 50 a second, over the 1.7 s that the scenario pauses.
    expect(phone.received).toBeGreaterThan(75);
    phone.close();
    expect(events.all.at(-1)).toMatchObject({
      type: 'ended',
      ending: { disposition: 'answered', endReason: 'caller_hangup', endedBy: 'caller' },
    });
  });

  it('hangs up what is left when it drains in a hurry', async () => {
    const phone = await RtpPhone.open();
    const call = runSipp({
      scenario: 'hang-up-by-peer.xml',
      remotePort: sipPort,
      keys: { rtp_port: String(phone.port) },
    });
    await until(() => phone.received > 0);
    await node.drain(AbortSignal.timeout(200));
    await call;
    phone.close();
    const ended = events.all.find((event) => event.type === 'ended');
    expect(ended).toMatchObject({ ending: { disposition: 'answered', endReason: 'node_drained', endedBy: 'system' } });
    expect(node.calls.size).toBe(0);
  });

  async function emptied(): Promise<void> {
    await until(() => node.calls.size === 0);
  }
});

function byCall(events: readonly CallEvent[]): Map<string, CallEvent[]> {
  const calls = new Map<string, CallEvent[]>();
  for (const event of events) calls.set(event.callId, [...(calls.get(event.callId) ?? []), event]);
  return calls;
}

function ladderOf(events: readonly CallEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type !== 'sip') return [];
    const { direction, method, status } = event.entry;
    return [[direction, method, status].filter((part) => part !== null).join(' ')];
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A µ-law byte that no silence contains. */
const TONE = 0x21;
const SILENCE = 0xff;
const RTP_HEADER_BYTES = 12;

/** One RTP socket that sends a constant µ-law level and counts what comes back of it. */
class RtpPhone {
  received = 0;
  tonePackets = 0;
  lastFrom = 0;
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet, from) => {
      this.received++;
      this.lastFrom = from.port;
      const payload = packet.subarray(RTP_HEADER_BYTES);
      if (payload.length > 0 && payload.every((byte) => Math.abs(byte - TONE) <= 1)) this.tonePackets++;
    });
  }

  static async open(): Promise<RtpPhone> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RtpPhone(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  talkTo(port: number): void {
    let sequenceNumber = 0;
    this.#timer = setInterval(() => {
      const packet = Buffer.alloc(RTP_HEADER_BYTES + 160, sequenceNumber < 5 ? SILENCE : TONE);
      packet.writeUInt16BE(0x8000, 0);
      packet.writeUInt16BE(sequenceNumber, 2);
      packet.writeUInt32BE(sequenceNumber * 160, 4);
      packet.writeUInt32BE(0x01020304, 8);
      sequenceNumber++;
      this.#socket.send(packet, port, '127.0.0.1');
    }, 20);
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#socket.close();
  }
}
