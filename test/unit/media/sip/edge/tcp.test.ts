import { Duplex } from 'node:stream';

import { SourceLimits } from '../../../../../media/sip/edge/source-limits';
import { DEFAULT_TCP_LIMITS, TcpConnections } from '../../../../../media/sip/edge/tcp';
import { FakeClock } from '../../../../fakes/fake-clock';

import type { Socket } from 'node:net';
import type { SipRejectReason } from '../../../../../media/sip/counters';
import type { TcpLimits } from '../../../../../media/sip/edge/tcp';

const OPTIONS = 'OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 0\r\n\r\n';
const PING = '\r\n\r\n';

/** The server's end of a connection; what it writes is read only when the test says so. */
class FakeSocket extends Duplex {
  readonly localAddress = '192.0.2.9';
  readonly written: string[] = [];
  reads = true;
  #unread: (() => void)[] = [];

  constructor(
    readonly remoteAddress: string,
    readonly remotePort: number,
  ) {
    super();
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.toString('latin1'));
    if (this.reads) done();
    else this.#unread.push(done);
  }

  readAll(): void {
    this.reads = true;
    for (const done of this.#unread.splice(0)) done();
  }

  async sends(text: string): Promise<void> {
    this.push(text);
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('TCP connections', () => {
  let clock: FakeClock;
  let refused: SipRejectReason[];
  let messages: string[];
  let connections: TcpConnections;
  let nextPort: number;

  function open(limits: Partial<TcpLimits> = {}, rate = { perSecond: 10, burst: 20 }): void {
    connections = new TcpConnections({
      limits: { ...DEFAULT_TCP_LIMITS, ...limits },
      sources: new SourceLimits(rate, clock),
      clock,
      sink: (_, flow) => messages.push(`${flow.peer.address}:${flow.peer.port}`),
      onRefused: (reason) => refused.push(reason),
    });
  }

  beforeEach(() => {
    clock = new FakeClock();
    refused = [];
    messages = [];
    nextPort = 1_024;
    open();
  });

  afterEach(async () => {
    connections.close();
    await turn();
    expect(clock.armed).toBe(0);
  });

  function connect(address = '198.51.100.1'): FakeSocket {
    const socket = new FakeSocket(address, nextPort++);
    connections.accept(socket as unknown as Socket);
    return socket;
  }

  const prove = ({ remoteAddress, remotePort }: FakeSocket): void =>
    connections.prove({ transport: 'tcp', address: remoteAddress, port: remotePort });

  it('close when no message is complete within 10 s, whatever else comes', async () => {
    const [silent, slow, pinging, speaking] = [connect(), connect(), connect(), connect()];
    await speaking.sends(OPTIONS);
    for (let second = 0; second < 9; second++) {
      await slow.sends('O');
      await pinging.sends(PING);
      await clock.advance(1_000);
    }
    expect([silent, slow, pinging, speaking].map(({ destroyed }) => destroyed)).toEqual([false, false, false, false]);
    await clock.advance(1_000);
    expect([silent, slow, pinging, speaking].map(({ destroyed }) => destroyed)).toEqual([true, true, true, false]);
    expect(refused).toEqual(['message_timeout', 'message_timeout', 'message_timeout']);
    await speaking.sends(OPTIONS.slice(0, 20));
    await clock.advance(9_999);
    expect(speaking.destroyed).toBe(false);
    await clock.advance(1);
    expect(speaking.destroyed).toBe(true);
  });

  it('answer the pings of one read with one pong', async () => {
    const socket = connect();
    await socket.sends(PING.repeat(5));
    expect(socket.written).toEqual(['\r\n']);
    await socket.sends(`${PING}${OPTIONS}${PING}`);
    expect(socket.written).toEqual(['\r\n', '\r\n']);
    expect(messages).toHaveLength(1);
  });

  it('send no pong while a peer has not read what it got', async () => {
    const socket = connect();
    socket.reads = false;
    for (let n = 0; n < 5; n++) await socket.sends(PING);
    expect(socket.written).toEqual(['\r\n']);
    socket.readAll();
    await socket.sends(PING);
    expect(socket.written).toEqual(['\r\n', '\r\n']);
  });

  it('are not read beyond their rate, of which keep-alives are a part, and lose nothing', async () => {
    const socket = connect();
    await socket.sends(PING.repeat(25));
    await socket.sends(PING);
    await socket.sends(OPTIONS);
    expect([socket.written.length, messages.length, socket.isPaused()]).toEqual([1, 0, true]);
    expect(refused).toEqual(['rate_limited']);
    await clock.advance(600);
    await turn();
    expect([socket.written.length, messages.length, socket.isPaused()]).toEqual([2, 0, true]);
    await clock.advance(100);
    await turn();
    expect([socket.written.length, messages.length, socket.isPaused()]).toEqual([2, 1, false]);
  });

  it('wait for the noise of their neighbours at one address only when they are noisy themselves', async () => {
    const [noisy, quiet, elsewhere] = [connect(), connect(), connect('198.51.100.2')];
    await noisy.sends(PING.repeat(10_000));
    for (const socket of [quiet, elsewhere]) await socket.sends(OPTIONS);
    expect(messages).toHaveLength(2);
    await elsewhere.sends(PING);
    expect(elsewhere.written).toEqual(['\r\n']);
    await noisy.sends(PING);
    expect(noisy.written).toEqual(['\r\n']);
  });

  it.each([
    ['pieces of a message', 'X'],
    ['single line ends', '\r\n'],
    ['what is framed and no SIP', 'hello\r\nl: 0\r\n\r\n'],
  ])('are not read beyond their rate: %s', async (_, piece) => {
    const socket = connect();
    for (let n = 0; n < 30; n++) await socket.sends(piece);
    expect(refused).toEqual(['rate_limited']);
    expect(socket.isPaused()).toBe(true);
  });

  it('give way to new ones when there are too many: silent ones first, then the one that was silent longest', async () => {
    open({ maxConnections: 4 });
    const [spoke, silent, proven, later] = [
      connect('192.0.2.1'),
      connect('192.0.2.2'),
      connect('192.0.2.3'),
      connect(),
    ];
    for (const socket of [spoke, proven, later]) await socket.sends(OPTIONS);
    prove(proven);
    const order: FakeSocket[] = [];
    for (const socket of [spoke, silent, proven, later]) socket.once('close', () => order.push(socket));
    await connect('192.0.2.5').sends(OPTIONS);
    await spoke.sends(OPTIONS);
    await connect('192.0.2.6').sends(OPTIONS);
    await connect('192.0.2.7').sends(OPTIONS);
    await connect('192.0.2.8').sends(OPTIONS);
    expect(order).toEqual([silent, later, spoke]);
    expect(proven.destroyed).toBe(false);
    expect(new Set(refused)).toEqual(new Set(['connection_limit']));
  });

  it('of one source give way to its own new ones only', async () => {
    open({ maxConnections: 100, maxConnectionsPerSource: 3 });
    const other = connect('192.0.2.1');
    const own = ['2001:db8::1', '2001:db8::2', '2001:db8::3'].map(connect);
    connect('2001:db8::4');
    expect([other, ...own].map(({ destroyed }) => destroyed)).toEqual([false, true, false, false]);
  });

  it('are refused when nobody gives way', async () => {
    open({ maxConnections: 2 });
    for (const socket of [connect(), connect()]) prove(socket);
    expect(connect('192.0.2.1').destroyed).toBe(true);
    expect(refused).toEqual(['connection_limit']);
  });

  it('let in a new peer while 2,000 idle ones of four addresses hold the table', async () => {
    for (let n = 0; n < 2_000; n++) connect(`192.0.2.${n % 4}`);
    const peer = connect('198.51.100.1');
    for (let n = 0; n < 500; n++) connect(`192.0.2.${n % 4}`);
    await peer.sends(OPTIONS);
    expect(messages).toEqual([`198.51.100.1:${peer.remotePort}`]);
    for (let n = 0; n < 2_500; n++) connect(`192.0.2.${n % 4}`);
    expect(peer.destroyed).toBe(false);
  });
});
