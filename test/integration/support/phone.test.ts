/** The test phone against itself: what it reports of a peer can be relied on. */
import { Phone } from '../../support/phone/phone';
import { CallRefused } from '../../support/phone/dialling';
import { PhoneMedia } from '../../support/phone/media';
import { amplitudeAt, sine } from '../../support/tones';

import type { PhoneOptions } from '../../support/phone/options';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(['udp', 'tcp'] as const)('test phone over %s', (transport) => {
  const media = new PhoneMedia();
  const phones: Phone[] = [];

  afterEach(() => {
    for (const phone of phones.splice(0)) phone.close();
  });

  afterAll(() => media.close());

  async function pair(carrier: Partial<PhoneOptions>, caller: Partial<PhoneOptions> = {}): Promise<[Phone, Phone]> {
    const callee = await Phone.open({ media, transport, ...carrier });
    const server = { address: '127.0.0.1', port: callee.port };
    const phone = await Phone.open({ media, transport, server, user: '+15550001', ...caller });
    phones.push(callee, phone);
    return [phone, callee];
  }

  it('calls with digest, is heard both ways, presses digits and hangs up', async () => {
    const credentials = { username: 'u', password: 'p' };
    const [phone, carrier] = await pair(
      { challenge: credentials, answer: () => ({ status: 200, ringMs: 50 }) },
      { credentials },
    );
    const dialling = await phone.dial('+15551234567');
    await expect(dialling.ringing).resolves.toBe(180);
    const call = await dialling.answered;
    const other = await carrier.nextCall();
    expect(carrier.invites.map(({ user, fromUser, authenticated }) => [user, fromUser, authenticated])).toEqual([
      ['+15551234567', '+15550001', false],
      ['+15551234567', '+15550001', true],
    ]);
    await Promise.all([call.play(sine(500, 4000)), other.play(sine(900, 4000))]);
    await call.sendDigits('1#');
    await pause(60);
    const [heardHere, heardThere] = [await call.recording(), await other.recording()];
    expect(amplitudeAt(heardHere.pcm.subarray(800, 3600), 900)).toBeGreaterThan(6000);
    expect(amplitudeAt(heardThere.pcm.subarray(800, 3600), 500)).toBeGreaterThan(6000);
    expect([heardHere.lost, heardThere.lost]).toEqual([0, 0]);
    expect((await call.gaps(200)).gaps).toEqual([]);
    await expect(call.hangup()).resolves.toBe(200);
    await expect(other.ended).resolves.toMatchObject({ by: 'them' });
    await expect(call.ended).resolves.toMatchObject({ by: 'us', byeStatus: 200 });
  });

  it('sees the other side hang up, hold and resume', async () => {
    const [phone, carrier] = await pair({ answer: () => ({ status: 200 }) });
    const call = await phone.call('x');
    const other = await carrier.nextCall();
    await expect(other.hold(true)).resolves.toBe(200);
    await pause(100);
    const held = (await other.recording()).packets;
    await pause(200);
    expect((await other.recording()).packets).toBe(held);
    await expect(other.hold(false)).resolves.toBe(200);
    await pause(200);
    expect((await other.recording()).packets).toBeGreaterThan(held);
    await other.hangup();
    await expect(call.ended).resolves.toMatchObject({ by: 'them' });
  });

  it('reports a gap of the length it had', async () => {
    const [phone, carrier] = await pair({ answer: () => ({ status: 200 }) });
    const call = await phone.call('x');
    const other = await carrier.nextCall();
    await pause(200);
    other.mute(true);
    await pause(400);
    other.mute(false);
    await pause(200);
    const { gaps, maxMs } = await call.gaps(200);
    expect(gaps).toHaveLength(1);
    expect(maxMs).toBeGreaterThan(350);
    expect(maxMs).toBeLessThan(1_400);
    await call.hangup();
  });

  it('is refused, and told why', async () => {
    const [phone] = await pair({ answer: () => ({ status: 486, reason: 'Busy Here' }) });
    const error: unknown = await phone.call('x').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CallRefused);
    expect(error).toMatchObject({ status: 486 });
    const credentials = { username: 'u', password: 'wrong' };
    const [stranger] = await pair({ challenge: { username: 'u', password: 'p' } }, { credentials });
    await expect(stranger.call('x')).rejects.toMatchObject({ status: 407 });
  });

  it('cancels while it rings', async () => {
    const [phone, carrier] = await pair({ answer: () => ({ ring: 'forever' }) });
    const dialling = await phone.dial('x');
    await dialling.ringing;
    dialling.cancel();
    await expect(dialling.answered).rejects.toMatchObject({ status: 487 });
    expect(carrier.cancelled).toEqual([dialling.sipCallId]);
  });

  it('gives up on silence', async () => {
    const [phone, carrier] = await pair({ answer: () => ({ silent: true }) });
    await expect(phone.call('x', { timeoutMs: 700 })).rejects.toMatchObject({ status: 408, response: null });
    expect(carrier.invites).toHaveLength(1);
  });
});
