/** The check of an inbound trunk: what its endpoint answers, and who tried in vain. */
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../../../support/free-ports';
import type { PhoneOptions } from '../../../../support/phone/options';
import type { Phone } from '../../../../support/phone/phone';
import { CREDENTIALS, TrunkCheckBench } from './trunk-check-bench';

const bench = TrunkCheckBench.forEachTest();

describe('an inbound trunk', () => {
  const asked = (): { trunkId: string; username: string; sipEndpoint: string } => ({
    trunkId: 'trunk-in',
    username: CREDENTIALS.username,
    sipEndpoint: `127.0.0.1:${bench.sipPort}`,
  });

  async function caller(options: Partial<PhoneOptions>): Promise<Phone> {
    return bench.phone({ server: { address: '127.0.0.1', port: bench.sipPort }, ...options });
  }

  it('is known, its endpoint answers, and a port can be opened', async () => {
    expect(await bench.node.control.checkInboundTrunk(asked())).toMatchObject({
      knowsTrunk: true,
      unavailable: null,
      endpoint: { addresses: ['127.0.0.1'], status: 200, ours: true, error: null },
      attempts: [],
      mediaPort: { port: expect.any(Number), error: null },
    });
    expect(await bench.node.control.checkInboundTrunk({ ...asked(), trunkId: 'another' })).toMatchObject({
      knowsTrunk: false,
    });
  });

  it('whose endpoint is another server, or nobody, is told apart', async () => {
    const phone = await bench.carrier();
    const elsewhere = { ...asked(), sipEndpoint: `127.0.0.1:${phone.port}` };
    expect((await bench.node.control.checkInboundTrunk(elsewhere)).endpoint).toMatchObject({
      status: 200,
      ours: false,
    });
    const closed = { ...asked(), sipEndpoint: `127.0.0.1:${await freePort()}` };
    const refused = { status: null, error: 'connection refused' };
    expect((await bench.node.control.checkInboundTrunk(closed)).endpoint).toMatchObject(refused);
    const nameless = { ...asked(), sipEndpoint: 'nobody.test' };
    expect((await bench.node.control.checkInboundTrunk(nameless)).endpoint).toMatchObject({
      addresses: [],
      status: null,
    });
  });

  it('remembers who tried in vain, and why', async () => {
    const stranger = await caller({ credentials: { ...CREDENTIALS, password: 'wrong' } });
    await expect(stranger.call('123')).rejects.toThrow();
    const foreign = await caller({ credentials: CREDENTIALS, sdpText: (sdp) => sdp.replaceAll('RTP/AVP', 'RTP/SAVP') });
    await expect(foreign.call('123')).rejects.toThrow();
    const good = await caller({ credentials: CREDENTIALS });
    const call = await good.call('123');
    await call.hangup();
    const { attempts } = await bench.node.control.checkInboundTrunk(asked());
    expect(attempts.map(({ status, why, source }) => [status, why, source])).toEqual([
      [200, 'answered', '127.0.0.1'],
      [488, 'sdp_transport', '127.0.0.1'],
      [403, 'wrong_password', '127.0.0.1'],
    ]);
    await untilIdle();
  });

  /** The echo agent's call is over when its media is. */
  async function untilIdle(): Promise<void> {
    for (let n = 0; n < 200 && (bench.node.calls.size > 0 || bench.rtp.sessionCount > 0); n++) {
      await sleep(10);
    }
  }
});
