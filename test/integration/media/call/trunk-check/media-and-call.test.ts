/** The check of an outbound trunk over which a call is placed: what is said of its media, and what becomes of it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { sine } from '../../../../support/tones';
import { CREDENTIALS, NUMBER, TrunkCheckBench } from './trunk-check-bench';

const bench = TrunkCheckBench.forEachTest();

describe('the media', () => {
  const G729 = (sdp: string): string =>
    sdp
      .replace(/^(m=audio \d+ RTP\/AVP) .*$/m, '$1 18')
      .replaceAll(/^a=(?:rtpmap|fmtp):.*\r\n/gm, '')
      .replace('a=ptime', 'a=rtpmap:18 G729/8000\r\na=ptime');
  const OPTIONS_SDP = (address: string, formats: string): string =>
    `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio 0 RTP/AVP ${formats}\r\n`;

  it('have no codec in common, says the refusal of the call', async () => {
    await bench.carrier({ answer: () => ({ status: 488, reason: 'Not Acceptable Here' }) });
    const { ok, step, call } = await bench.check(NUMBER);
    expect([ok, step('codecs').ok]).toEqual([false, false]);
    expect(step('codecs').detail).toContain('488');
    expect(step('codecs').remedy).toContain('G.711');
    expect(call).toMatchObject({ disposition: 'media_incompatible' });
  });

  it('have no codec in common, says the SDP of its answer', async () => {
    await bench.carrier({ sdpText: G729 });
    const { ok, step } = await bench.check(NUMBER);
    expect([ok, step('codecs').ok, step('test_call').ok]).toEqual([false, false, false]);
    expect(step('codecs').detail).toContain('G729');
  });

  it('are told by the answer to OPTIONS where it has an SDP', async () => {
    const body = OPTIONS_SDP('127.0.0.1', '18 8');
    await bench.carrier({ options: () => ({ status: 200, reason: 'OK', body }) });
    const good = await bench.check();
    expect([good.ok, good.step('codecs').ok, good.step('sdp_address').ok]).toEqual([true, true, true]);
    expect(good.step('codecs').detail).toContain('PCMA');
    await bench.carrier({ options: () => ({ status: 200, reason: 'OK', body: OPTIONS_SDP('192.168.77.5', '18') }) });
    const bad = await bench.check();
    expect([bad.ok, bad.step('codecs').ok, bad.step('sdp_address').ok]).toEqual([false, false, false]);
  });

  it('go to a private address that the SDP names', async () => {
    await bench.carrier({ sdpText: (sdp) => sdp.replace(/^c=.*$/m, 'c=IN IP4 10.20.30.40') });
    const { ok, step } = await bench.check(NUMBER);
    expect([ok, step('sdp_address').ok]).toEqual([false, false]);
    expect(step('sdp_address').detail).toContain('10.20.30.40 (private)');
    expect(step('sdp_address').cause).toContain('NAT');
  });

  it('go one way', async () => {
    await bench.carrier({ sendsAudio: false });
    const { ok, step, call } = await bench.check(NUMBER);
    expect([ok, step('test_call').ok]).toEqual([false, false]);
    expect(step('test_call').detail).toContain('one-way audio');
    expect(step('test_call').remedy).toContain('RTP_PORT_MIN');
    expect(call).toMatchObject({ disposition: 'answered', endReason: 'api_hangup', finalStatus: 200 });
  });

  it('come from another host than the SDP names', async () => {
    await bench.carrier({ mediaAddress: '127.0.0.2' });
    const { ok, step } = await bench.check(NUMBER);
    expect([ok, step('test_call').ok]).toEqual([false, false]);
    expect(step('test_call').detail).toContain('another address');
  });
});

describe('the test call', () => {
  it.each(['udp', 'tcp'] as const)('over %s hears both ways, says a tone, and is hung up', async (transport) => {
    const phone = await bench.carrier({ transport, challenge: CREDENTIALS });
    const calling = phone.nextCall();
    const checking = bench.check(NUMBER);
    const call = await calling;
    void call.play(sine(600, 8_000));
    const { ok, outline, step, call: record } = await checking;
    expect(ok).toBe(true);
    expect(outline).toBe(
      'dns:true transport:true options:true authentication:true codecs:true sdp_address:true test_call:true',
    );
    expect(step('authentication').detail).toContain('challenged with 407');
    expect(step('test_call').detail).toMatch(/audio both ways.*with sound in them/);
    expect(await call.ended).toMatchObject({ by: 'them' });
    const heard = await call.recording();
    expect(heard.packets).toBeGreaterThan(100);
    expect(record).toMatchObject({
      disposition: 'answered',
      endedBy: 'api',
      from: bench.trunk.callerNumber,
      to: NUMBER,
    });
    expect(record!.endedAtMs).toBeGreaterThanOrEqual(record!.answeredAtMs!);
    expect(phone.invites.map(({ user }) => user)).toEqual([NUMBER, NUMBER]);
  });

  it('says of a callee who is busy neither that the trunk works nor that it does not', async () => {
    await bench.carrier({ answer: () => ({ status: 486, reason: 'Busy Here', ringMs: 50 }) });
    const { ok, step, call } = await bench.check(NUMBER);
    expect([ok, step('test_call').ok]).toEqual([true, null]);
    expect(step('test_call').detail).toContain('486');
    expect(call).toMatchObject({ disposition: 'busy', answeredAtMs: null });
  });

  it('rings some seconds, and is cancelled', async () => {
    const phone = await bench.carrier({ answer: () => ({ ring: 'forever' }) });
    const startedMs = performance.now();
    const { step, call } = await bench.check(NUMBER);
    expect(performance.now() - startedMs).toBeLessThan(23_000);
    expect(step('test_call').ok).toBeNull();
    expect(call).toMatchObject({ disposition: 'no_answer' });
    expect(phone.cancelled).toHaveLength(1);
  }, 40_000);

  it('is hung up when its trunk is deleted', async () => {
    const phone = await bench.carrier();
    const checking = bench.check(NUMBER);
    const call = await phone.nextCall();
    while ((await call.recording()).packets === 0) await sleep(10);
    bench.node.control.trunkRevoked(bench.trunk.id);
    expect((await checking).call).toMatchObject({ disposition: 'answered', endReason: 'api_hangup' });
    expect(await call.ended).toMatchObject({ by: 'them' });
  });

  it('is not placed by a bench.node that takes no more calls', async () => {
    const phone = await bench.carrier();
    void bench.node.calls.drain();
    const { ok, step, call } = await bench.check(NUMBER);
    expect([ok, step('test_call').ok, call]).toEqual([true, null, null]);
    expect(step('test_call').detail).toContain('node_draining');
    expect(phone.invites).toEqual([]);
  });
});
