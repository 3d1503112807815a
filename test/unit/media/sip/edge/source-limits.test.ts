import { SourceLimits } from '../../../../../media/sip/edge/source-limits';
import { FakeClock } from '../../../../fakes/fake-clock';

import type { SipPeer } from '../../../../../media/sip/peer';

const SIP = Buffer.from('OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n');
const LIMIT = { perSecond: 10, burst: 20 };

const at = (address: string, port = 5060, transport: SipPeer['transport'] = 'udp'): SipPeer => ({
  address,
  port,
  transport,
});

describe('what a source may send', () => {
  let clock: FakeClock;
  let limits: SourceLimits;

  beforeEach(() => {
    clock = new FakeClock();
    limits = new SourceLimits(LIMIT, clock);
  });

  const admitted = (peer: SipPeer, bytes: Buffer, times: number): number =>
    Array.from({ length: times }, () => limits.admits(bytes, peer)).filter(Boolean).length;

  it('is a burst and then a steady rate, of all its ports together', async () => {
    expect(admitted(at('192.0.2.1', 1), SIP, 15) + admitted(at('192.0.2.1', 2), SIP, 15)).toBe(20);
    expect(admitted(at('192.0.2.2'), SIP, 30)).toBe(20);
    await clock.advance(1_000);
    expect(admitted(at('192.0.2.1', 3), SIP, 30)).toBe(10);
  });

  it('is one for all addresses of an IPv6 network of one user', () => {
    const sent = Array.from({ length: 100 }, (_, n) => admitted(at(`2001:db8::${n.toString(16)}`), SIP, 1));
    expect(sent.filter((n) => n === 1)).toHaveLength(20);
    expect(admitted(at('2001:db8:0:1::1'), SIP, 1)).toBe(1);
  });

  it.each([
    ['zeros', Buffer.alloc(600)],
    ['text', Buffer.from('x'.repeat(1_000))],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: sip.example\r\n\r\n')],
    ['a version that is not in the first line', Buffer.from('\r\nhello\r\nSIP/2.0 200 OK\r\n\r\n')],
    ['a keep-alive', Buffer.from('\r\n\r\n')],
    ['RTP', Buffer.from('80000001000000a0deadbeef', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('is not used up by %s', (_, garbage) => {
    expect(admitted(at('192.0.2.1'), garbage, 1_000)).toBe(20);
    expect(admitted(at('192.0.2.1'), SIP, 30)).toBe(20);
  });

  it('is not used up by what claims to be SIP and cannot be parsed, within the rate of garbage', () => {
    const peer = at('192.0.2.1');
    for (let n = 0; n < 20; n++) {
      expect(limits.admits(SIP, peer)).toBe(true);
      limits.unparsable(SIP, peer);
    }
    expect(admitted(peer, Buffer.alloc(8), 5)).toBe(0);
    for (let n = 0; n < 5; n++) {
      expect(limits.admits(SIP, peer)).toBe(true);
      limits.unparsable(SIP, peer);
    }
    expect(admitted(peer, SIP, 30)).toBe(15);
  });

  it.each(['\r\n\r\nOPTIONS sip:a@h SIP/2.0\r\n\r\n', 'SIP/2.0 200 OK\r\n\r\n', 'ACK sip:a SIP/2.0'])(
    'tells SIP from noise by the first line: %j',
    (text) => {
      admitted(at('192.0.2.1'), Buffer.alloc(8), 1_000);
      expect(admitted(at('192.0.2.1'), Buffer.from(text), 1)).toBe(1);
    },
  );

  it('is its own for a peer that has proved who it is, whatever strangers at its address send', async () => {
    const peer = at('192.0.2.1', 5060);
    limits.prove(peer);
    admitted(at('192.0.2.1', 40_000), SIP, 1_000);
    expect(admitted(at('192.0.2.1', 40_000), SIP, 1)).toBe(0);
    expect(admitted(peer, SIP, 30)).toBe(20);
    // Proof gives no second burst.
    limits.prove(peer);
    expect(admitted(peer, SIP, 30)).toBe(0);
    expect(admitted(at('192.0.2.1', 5060, 'tcp'), SIP, 1)).toBe(0);
    await clock.advance(100);
    expect(admitted(peer, SIP, 30)).toBe(1);
  });

  it('is not forgotten of a peer that has proved itself when a million strangers come', () => {
    const peer = at('192.0.2.1');
    limits.prove(peer);
    admitted(peer, SIP, 20);
    for (let n = 0; n < 1_000_000; n++) limits.admits(SIP, at(`stranger-${n}`));
    expect(admitted(peer, SIP, 1)).toBe(0);
  });

  it('makes a stream wait until what it brought is made up for, a noisy one alone for noise', async () => {
    const peer = at('192.0.2.1', 40_000, 'tcp');
    expect(limits.charge(peer, { messages: 2, noise: 16_000 })).toBe(true);
    expect([limits.waitMs(peer, true), limits.waitMs(peer, false)]).toEqual([2_100, 0]);
    expect(limits.charge(peer, { messages: 0, noise: 1 })).toBe(false);
    expect(admitted(at('192.0.2.1'), SIP, 30)).toBe(18);
    expect(limits.waitMs(peer, false)).toBe(100);
    await clock.advance(2_100);
    expect(limits.waitMs(peer, true)).toBe(0);
  });
});
