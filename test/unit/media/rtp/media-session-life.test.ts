import { buildReport, compactNtp, ntpTime, readRtcp } from '../../../../media/rtp/rtcp';
import type { Datagram } from '../../../fakes/media/rtp/session-bench';
import { Bench, REMOTE, SILENCE } from '../../../fakes/media/rtp/session-bench';

describe('media timeout', () => {
  test.each([30, 5, 120])('of %i s comes that long after the start when nothing was ever received', (seconds) => {
    const bench = new Bench(true, seconds * 1000);
    bench.session.setRemote(REMOTE, 0);
    bench.run(seconds * 50);
    expect(bench.events).not.toContain('timeout');
    bench.run(1);
    expect(bench.events).toContain('timeout');
  });

  it('comes 30 s after the last packet', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(100);
    bench.run(1, () => bench.receive(SILENCE));
    bench.run(1499);
    expect(bench.events).not.toContain('timeout');
    bench.run(1);
    expect(bench.events).toContain('timeout');
  });

  it('does not run out while we speak, and comes 30 s after the last word', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(1, () => bench.receive(SILENCE));
    bench.session.sources.queue.play(1, new Int16Array(160 * 5000).fill(1000), true);
    bench.run(5000);
    expect(bench.events).toContain('finished 1');
    bench.run(1499);
    expect(bench.events).not.toContain('timeout');
    bench.run(1);
    expect(bench.events).toContain('timeout');
  });

  it.each([true, false])('does not count the time in which we stood still, the peer heard before: %s', (heard) => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(1, () => heard && bench.receive(SILENCE));
    bench.nowMs += 60_000;
    bench.run(1, undefined, 3000);
    expect(bench.events).not.toContain('timeout');
    bench.run(1495);
    expect(bench.events).not.toContain('timeout');
    bench.run(10);
    expect(bench.events).toContain('timeout');
  });

  it('is not put off by foreign packets, but by RTCP of the peer', () => {
    const report = buildReport({
      ssrc: 42,
      cname: 'peer',
      sender: null,
      block: null,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
      bye: false,
    });
    const foreign = new Bench();
    foreign.session.setRemote(REMOTE, 0);
    foreign.run(1, () => foreign.receive(SILENCE));
    foreign.run(1510, () => {
      foreign.receive(SILENCE, { address: '203.0.113.66' });
      foreign.session.receiveRtcp(report, '203.0.113.66', 4001, foreign.nowMs);
    });
    expect(foreign.events).toContain('timeout');

    const alive = new Bench();
    alive.session.setRemote(REMOTE, 0);
    alive.run(1, () => alive.receive(SILENCE));
    alive.run(2000, (frame) => {
      if (frame % 250 === 0) alive.session.receiveRtcp(report, REMOTE.address, 4001, alive.nowMs);
    });
    expect(alive.events).not.toContain('timeout');
  });

  test.each([
    ['the peer holds', { send: false }],
    ['the peer only listens', { receive: false }],
  ])('rests while %s', (_, change) => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(1, () => bench.receive(SILENCE));
    bench.session.setRemote({ ...REMOTE, ...change }, bench.nowMs);
    bench.run(3000);
    expect(bench.events).not.toContain('timeout');
    bench.session.setRemote(REMOTE, bench.nowMs);
    bench.run(1490);
    expect(bench.events).not.toContain('timeout');
    bench.run(20);
    expect(bench.events).toContain('timeout');
  });
});

describe('packets that stop', () => {
  const said = (bench: Bench): string[] => bench.events.filter((event) => event === 'quiet' || event === 'back');

  it('are told after 10 s and every 30 s while they stay away, also while we speak', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.session.sources.queue.play(1, new Int16Array(160 * 5000).fill(1000), true);
    bench.run(1, () => bench.receive(SILENCE));
    bench.run(499);
    expect(said(bench)).toEqual([]);
    bench.run(1);
    expect(said(bench)).toEqual(['quiet']);
    bench.run(1499);
    expect(said(bench)).toEqual(['quiet']);
    bench.run(1);
    expect(said(bench)).toEqual(['quiet', 'quiet']);
  });

  it('are told when they are back', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(1, () => bench.receive(SILENCE));
    bench.run(600);
    bench.run(100, () => bench.receive(SILENCE));
    expect(said(bench)).toEqual(['quiet', 'back']);
  });

  it('are not missed when none ever came', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(1400);
    expect(said(bench)).toEqual([]);
  });
});

describe('a session that hears only packets of others', () => {
  const deaf = (bench: Bench): string[] => bench.events.filter((event) => event.startsWith('deaf'));
  const foreign = (bench: Bench) => (): void => bench.receive(SILENCE, { address: '203.0.113.66' });

  it('says so once, after two seconds', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(100, foreign(bench));
    expect(deaf(bench)).toEqual([]);
    bench.run(500, foreign(bench));
    expect(deaf(bench)).toEqual(['deaf 101']);
  });

  it('does not say so when the peer is heard too, or nobody is', () => {
    const heard = new Bench();
    heard.session.setRemote(REMOTE, 0);
    heard.run(1, () => heard.receive(SILENCE));
    heard.run(500, foreign(heard));
    const alone = new Bench();
    alone.session.setRemote(REMOTE, 0);
    alone.run(500);
    expect([...deaf(heard), ...deaf(alone)]).toEqual([]);
  });

  it('takes an announcement before the answer for none of theirs, whoever sends it', () => {
    for (const from of [{}, { address: '203.0.113.66' }]) {
      const bench = new Bench();
      for (let packet = 0; packet < 1500; packet++) bench.receive(SILENCE, from);
      bench.session.setRemote(REMOTE, bench.nowMs);
      bench.run(500);
      expect(deaf(bench)).toEqual([]);
      expect(bench.session.close(bench.nowMs)).toMatchObject({ packetsReceived: 0, packetsForeign: 0 });
    }
  });
});

describe('RTCP of a session', () => {
  it('reports what it sent and received, on the port above, and says goodbye', () => {
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(500, (frame) => {
      if (frame % 10 !== 9) bench.receive(SILENCE);
      else bench.receive(SILENCE, { address: '203.0.113.66' });
    });
    const reports = bench.rtcp.map(({ packet }) => readRtcp(packet));
    expect(reports).toHaveLength(2);
    expect(bench.rtcp[0]).toMatchObject({ port: 4001, address: '192.0.2.10' });
    expect(reports[0]?.ssrc).toBe(bench.sent[0]?.ssrc);
    expect(reports[0]?.senderReport).not.toBeNull();
    expect(reports[0]?.blocks[0]).toMatchObject({ ssrc: 42 });
    expect(reports[0]?.blocks[0]?.fractionLost).toBeGreaterThan(20);
    const stats = bench.session.close(bench.nowMs);
    expect(stats).toMatchObject({ packetsSent: 500, packetsReceived: 450, packetsForeign: 50 });
    expect(bench.rtcp.at(-1)?.packet.at(-8)).toBe(0x81);
    bench.run(10);
    expect(bench.rtp).toHaveLength(500);
  });

  it("goes back to where the peer's RTCP comes from, over the port that it came to", () => {
    const ssrc = 42;
    const report = buildReport({
      ssrc,
      cname: 'peer',
      sender: null,
      block: null,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
      bye: false,
    });
    const bench = new Bench();
    bench.session.setRemote(REMOTE, 0);
    bench.run(300, (frame) => {
      bench.receive(SILENCE, { port: 61_000, ssrc });
      if (frame === 10) bench.session.receiveRtcp(report, REMOTE.address, 33_333, bench.nowMs);
      if (frame === 11) bench.session.receiveRtcp(report, '203.0.113.66', 33_334, bench.nowMs);
    });
    expect(bench.rtcp.map(({ address, port }) => `${address}:${port}`)).toEqual([`${REMOTE.address}:33333`]);

    const muxed = new Bench();
    muxed.session.setRemote(REMOTE, 0);
    muxed.run(300, (frame) => {
      muxed.receive(SILENCE, { port: 61_000, ssrc });
      if (frame === 10) muxed.session.receiveRtp(report, REMOTE.address, 61_000, muxed.nowMs);
    });
    expect(muxed.rtcp).toEqual([]);
    const overRtp = muxed.rtp.filter(({ packet }) => packet[1] === 200);
    expect(overRtp.map(({ address, port }) => `${address}:${port}`)).toEqual([`${REMOTE.address}:61000`]);
  });

  it('measures the round trip and the loss of the other direction, also on the RTP port', () => {
    const bench = new Bench();
    bench.session.setRemote({ ...REMOTE, rtcpPort: 4000 }, 0);
    bench.run(300, () => bench.receive(SILENCE));
    const ours = readRtcp((bench.rtcp[0] as Datagram).packet);
    expect(bench.rtcp[0]?.port).toBe(4000);
    // The peer kept our report for 250 ms; 100 ms on the way both ways together.
    const now = compactNtp(ntpTime(1_700_000_000_000 + bench.nowMs));
    const report = buildReport({
      ssrc: 42,
      cname: 'peer',
      sender: null,
      block: { ssrc: ours.ssrc, fractionLost: 64, totalLost: 5, highestSequenceNumber: 1, jitter: 0 },
      lastSenderReport: (now - Math.round(0.35 * 65_536)) >>> 0,
      delaySinceLastSenderReport: Math.round(0.25 * 65_536),
      bye: false,
    });
    bench.session.receiveRtp(report, REMOTE.address, REMOTE.port, bench.nowMs);
    const stats = bench.session.close(bench.nowMs);
    expect(stats.roundTripMs).toBeCloseTo(100, 0);
    expect(stats.remoteLossPct).toBe(25);
    expect(stats.mos).toBeGreaterThan(4);
  });
});
