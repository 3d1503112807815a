import { Baresip, hasBaresip } from '../../support/baresip';
import { PhoneMedia } from '../../support/phone/media';
import { Phone } from '../../support/phone/phone';
import { amplitudeAt, sine } from '../../support/tones';

const describeWithBaresip = hasBaresip() ? describe : describe.skip;

describeWithBaresip('baresip under test control', () => {
  const media = new PhoneMedia();

  afterAll(() => media.close());

  it('calls with digest, says its file and hands out what it heard', async () => {
    const credentials = { username: 'alice', password: 'secret' };
    const callee = await Phone.open({ media, challenge: credentials, answer: () => ({ status: 200 }) });
    const phone = await Baresip.call('+15551234567', {
      server: { address: '127.0.0.1', port: callee.port },
      credentials,
      says: sine(600, 16_000),
    });
    const call = await callee.nextCall();
    await phone.established();
    await call.play(sine(900, 12_000));
    const heard = await phone.stop();
    const said = await call.recording();
    callee.close();
    expect(callee.invites.map(({ user, authenticated }) => [user, authenticated])).toEqual([
      ['+15551234567', false],
      ['+15551234567', true],
    ]);
    expect(amplitudeAt(said.pcm.subarray(2000, 8000), 600)).toBeGreaterThan(5000);
    expect(amplitudeAt(heard.subarray(2000, 8000), 900)).toBeGreaterThan(5000);
    await expect(call.ended).resolves.toMatchObject({ by: 'them' });
  });
});
