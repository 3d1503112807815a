/** A media node whose checks of trunks meet real peers; one for each test of a file. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import pino from 'pino';

import type { OutboundTrunkProfile } from '../../../../../contract/directory';
import type { CheckStep, KeptRegistration, OutboundTrunkReport } from '../../../../../contract/trunk-check';
import { createBenchDirectory, createEchoAgent } from '../../../../../media-node/bench-mode';
import { systemClock } from '../../../../../media/clock';
import { MediaService } from '../../../../../media/media-service';
import { ThreadedRtpEngine } from '../../../../../media/rtp/engine';
import { SipServer } from '../../../../../media/sip/sip-server';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeCapacity } from '../../../../fakes/fake-capacity';
import { NO_OBSERVER } from '../../../../fakes/no-observer';
import { RecordingEvents } from '../../../../fakes/recording-events';
import { freePort, rtpPortRange } from '../../../../support/free-ports';
import { TestNameServer } from '../../../../support/name-server';
import { PhoneMedia } from '../../../../support/phone/media';
import type { PhoneOptions } from '../../../../support/phone/options';
import { Phone } from '../../../../support/phone/phone';

export const CREDENTIALS = { username: 'carrier-user', password: 'a-password-that-nobody-sees' };
export const NUMBER = '+15557654321';
/** Outline of a check that found no address. */
export const NOTHING_BEYOND_DNS =
  'dns:false transport:null options:null authentication:null codecs:null sdp_address:null test_call:null';

export interface Checked {
  readonly ok: OutboundTrunkReport['ok'];
  readonly call: OutboundTrunkReport['call'];
  readonly step: (name: string) => CheckStep;
  /** Step by step: `dns:true transport:false options:null` … */
  readonly outline: string;
}

export class TrunkCheckBench {
  readonly media = new PhoneMedia();
  readonly rtp: ThreadedRtpEngine;
  /** What the node knows of the trunk that is checked: a test makes it what it wants. */
  trunk: OutboundTrunkProfile = TRUNK;
  /** From the next start of the node. */
  allowPrivateTargets = true;
  sipPort = 0;
  readonly #phones: Phone[] = [];
  readonly #sockets: Socket[] = [];
  #nameServer: TestNameServer | undefined;
  #node: MediaService | undefined;

  /** Registers the hooks of the file: a node for each test, on one RTP thread. */
  static forEachTest(): TrunkCheckBench {
    const bench = new TrunkCheckBench();
    beforeAll(() => bench.rtp.start());
    beforeEach(() => bench.#begin());
    afterEach(() => bench.#end());
    afterAll(async () => {
      await bench.rtp.close();
      await bench.media.close();
    });
    return bench;
  }

  private constructor() {
    const { min, max } = rtpPortRange();
    this.rtp = new ThreadedRtpEngine({ portMin: min, portMax: max });
  }

  get node(): MediaService {
    if (this.#node === undefined) throw new Error('no node was started');
    return this.#node;
  }

  get nameServer(): TestNameServer {
    if (this.#nameServer === undefined) throw new Error('no name server was started');
    return this.#nameServer;
  }

  async startNode(): Promise<void> {
    const { rtp, nameServer, allowPrivateTargets } = this;
    const sipPort = (this.sipPort = await freePort());
    this.#node = new MediaService({
      nodeId: 'node-1',
      bootId: 'boot-1',
      maxCalls: 10,
      clock: systemClock,
      events: new RecordingEvents(),
      directory: {
        ...createBenchDirectory(),
        outboundTrunk: (id) => (id === this.trunk.id ? this.trunk : undefined),
        inboundTrunk: (username) =>
          username === CREDENTIALS.username
            ? { ...CREDENTIALS, id: 'trunk-in', orgId: 'org-1', phoneNumbers: [], mediaTimeoutSeconds: 30 }
            : undefined,
      },
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
          nameServers: [nameServer.address],
          allowPrivateTargets,
        }),
    });
    await this.#node.open();
  }

  /** A phone that is closed with the test. */
  async phone(options: Omit<PhoneOptions, 'media'>): Promise<Phone> {
    const phone = await Phone.open({ media: this.media, ...options });
    this.#phones.push(phone);
    return phone;
  }

  /** Whom the trunk leads to. */
  async carrier(options: Partial<PhoneOptions> = {}): Promise<Phone> {
    const phone = await this.phone({ answer: () => ({ status: 200 }), ...options });
    this.trunk = { ...this.trunk, port: phone.port, transport: options.transport ?? 'udp' };
    return phone;
  }

  /** A host that takes every packet and says nothing. */
  async silentHost(): Promise<void> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    this.#sockets.push(socket);
    this.trunk = { ...this.trunk, port: socket.address().port };
  }

  async check(testNumber: string | null = null, keptRegistration: KeptRegistration | null = null): Promise<Checked> {
    const sipCallId = `check-${Math.random()}`;
    const { id: trunkId, orgId, password } = this.trunk;
    const report = await this.node.control.checkOutboundTrunk({
      orgId,
      trunkId,
      testNumber,
      sipCallId,
      keptRegistration,
    });
    if (report === null) throw new Error('the trunk is unknown');
    expect(JSON.stringify(report)).not.toContain(password);
    for (const { ok, cause, remedy, detail } of report.steps) {
      expect(detail).not.toBe('');
      if (ok === false) expect([typeof cause, typeof remedy]).toEqual(['string', 'string']);
    }
    return {
      ok: report.ok,
      call: report.call,
      step: (name) => report.steps.find(({ step }) => step === name)!,
      outline: report.steps.map(({ step, ok }) => `${step}:${ok}`).join(' '),
    };
  }

  async #begin(): Promise<void> {
    this.allowPrivateTargets = true;
    this.#nameServer = await TestNameServer.start();
    this.trunk = { ...TRUNK, ...CREDENTIALS, host: '127.0.0.1' };
    await this.startNode();
  }

  async #end(): Promise<void> {
    for (const phone of this.#phones.splice(0)) phone.close();
    for (const socket of this.#sockets.splice(0)) socket.close();
    expect(this.node.calls.size).toBe(0);
    expect(this.rtp.sessionCount).toBe(0);
    await this.node.close();
    this.nameServer.close();
  }
}
