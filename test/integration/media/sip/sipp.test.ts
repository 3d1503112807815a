import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { OFFER } from '../../../fakes/media/sip/caller';
import { ANSWER, recordingDelegate, TestEndpoint, until } from '../../../fakes/media/sip/test-endpoint';
import { openUdpRelay } from '../../../support/udp-relay';

const SIPP = '/usr/bin/sipp';
/** Calls are not refused for what other tests do on this machine meanwhile: `overload.test.ts` is of that. */
const PATIENT = { maxInviteWaitMs: 60_000 } as const;
const describeWithSipp = existsSync(SIPP) ? describe : describe.skip;
let folder: string;

interface SippRun {
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
}

/** Runs a scenario to its end; its figures come from the last line of its statistics file. */
async function sipp(scenario: string, args: readonly string[]): Promise<SippRun> {
  const statistics = join(folder, `${scenario}.csv`);
  const output = await new Promise<string>((resolve) => {
    execFile(
      SIPP,
      [
        '-sf',
        join(__dirname, '../../../fixtures/sipp', `${scenario}.xml`),
        '-i',
        '127.0.0.1',
        '-nostdin',
        '-trace_stat',
        '-stf',
        statistics,
        ...args,
      ],
      { cwd: folder, timeout: 100_000, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout) => resolve(stdout),
    );
  });
  // The screen ends with the totals: "Successful call | periodic | cumulative".
  const total = (name: string): number => {
    const all = [...output.matchAll(new RegExp(`${name}\\s+\\|\\s+\\d+\\s+\\|\\s+(\\d+)`, 'g'))];
    return Number(all.at(-1)?.[1] ?? -1);
  };
  const retransmissions = Number(/(\d+)\s+Total retransmissions/i.exec(output)?.[1] ?? 0);
  return { successful: total('Successful call'), failed: total('Failed call'), retransmissions };
}

describeWithSipp('SIPp', () => {
  let endpoint: TestEndpoint;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-sipp-'));
    endpoint = await TestEndpoint.start(PATIENT);
    endpoint.onCall = ({ dialog }) => {
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
    };
  });

  afterEach(async () => {
    await endpoint.server.close();
    await rm(folder, { recursive: true, force: true });
    expect(endpoint.errors).toEqual([]);
  });

  it.each([
    ['UDP', 'u1'],
    ['TCP', 't1'],
  ])(
    '100 digest calls at 50/s over %s succeed',
    async (_name, transport) => {
      const run = await sipp('uac-auth', [
        '-m',
        '100',
        '-r',
        '50',
        '-d',
        '100',
        '-t',
        transport,
        `127.0.0.1:${endpoint.port}`,
      ]);
      expect(run).toMatchObject({ successful: 100, failed: 0 });
      await until(() => endpoint.calls.every(({ events }) => events.join() === 'ack,bye,closed normal'));
    },
    60_000,
  );

  it('20 cancelled calls end with 487', async () => {
    await endpoint.server.close();
    endpoint = await TestEndpoint.start({ ...PATIENT, authentication: 'none' });
    endpoint.onCall = ({ dialog }) => dialog.ring(() => ANSWER);
    const run = await sipp('uac-cancel', ['-m', '20', '-r', '20', `127.0.0.1:${endpoint.port}`]);
    expect(run).toMatchObject({ successful: 20, failed: 0 });
    expect(endpoint.calls.every(({ events }) => events.join() === 'cancel,closed normal')).toBe(true);
  }, 60_000);

  it('with one packet in ten lost each way, 200 of 200 calls succeed', async () => {
    await endpoint.server.close();
    endpoint = await TestEndpoint.start({ ...PATIENT, authentication: 'none' });
    endpoint.onCall = ({ dialog }) => {
      dialog.ring(() => ANSWER);
      dialog.answer(ANSWER);
    };
    const target = { address: '127.0.0.1', port: endpoint.port };
    const relay = await openUdpRelay({ target, loss: 0.1, seed: 20_261_124 });
    try {
      const run = await sipp('uac', ['-m', '200', '-r', '40', '-d', '100', `127.0.0.1:${relay.port}`]);
      expect(run).toMatchObject({ successful: 200, failed: 0 });
      expect(endpoint.calls).toHaveLength(200);
      expect(relay.counts.lost).toBeGreaterThan(50);
      // SIPp takes a repeated 200 of its INVITE for the answer to its BYE: where ACK and BYE were both lost, it stops
      // there and our dialog waits for its ACK.
      const open = endpoint.calls.filter(({ events }) => events.at(-1) !== 'closed normal');
      expect(open.length).toBeLessThan(10);
      expect(open.every(({ events }) => events.length === 0)).toBe(true);
    } finally {
      relay.close();
    }
  }, 120_000);

  it('a carrier that challenges gets the call through', async () => {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const carrier = sipp('uas-auth', ['-m', '5', '-p', String(port)]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    for (let i = 0; i < 5; i++) {
      const events: string[] = [];
      const dialog = await endpoint.server.invite(
        {
          sipCallId: `sipp-${i}@trunkline`,
          target: { user: '+15557654321', host: '127.0.0.1', port, transport: 'udp' },
          fromUser: '+15550001111',
          credentials: { username: 'bob', password: 'pw' },
          offer: () => OFFER,
        },
        recordingDelegate(events),
      );
      await until(() => events.includes('accept+sdp'), 10_000);
      expect(events).toContain('progress 183');
      dialog.bye();
      await until(() => events.includes('closed normal'), 10_000);
    }
    expect(await carrier).toMatchObject({ successful: 5, failed: 0 });
  }, 60_000);

  describe('with session timers and reliable provisional answers', () => {
    beforeEach(async () => {
      await endpoint.server.close();
      endpoint = await TestEndpoint.start({
        authentication: 'none',
        sessionTimers: { intervalSeconds: 4, minimumSeconds: 2 },
      });
    });

    it.each(['u1', 't1'])(
      'a caller that demands both is served, -t %s',
      async (transport) => {
        endpoint.onCall = (call) => {
          const { dialog } = call;
          dialog.delegate = {
            ...dialog.delegate,
            onPrack: () => dialog.answer(ANSWER),
            onRefreshOffer: () => ANSWER,
            onExpired: (why) => call.events.push(why),
          };
          dialog.ring(() => ANSWER);
        };
        const run = await sipp('uac-reliable', ['-m', '5', '-r', '5', '-t', transport, `127.0.0.1:${endpoint.port}`]);
        expect(run).toMatchObject({ successful: 5, failed: 0 });
        await until(() => endpoint.calls.every(({ events }) => events.at(-1) === 'closed normal'));
        for (const { events } of endpoint.calls) expect(events).toContain('refresh_missing');
      },
      60_000,
    );

    it('a carrier that demands both is served', async () => {
      const port = 20_000 + Math.floor(Math.random() * 20_000);
      const carrier = sipp('uas-reliable', ['-m', '1', '-p', String(port)]);
      await new Promise((resolve) => setTimeout(resolve, 700));
      const events: string[] = [];
      await endpoint.server.invite(
        {
          sipCallId: 'sipp-reliable@trunkline',
          target: { user: '+15557654321', host: '127.0.0.1', port, transport: 'udp' },
          fromUser: '+15550001111',
          credentials: { username: 'bob', password: 'pw' },
          offer: () => OFFER,
        },
        { ...recordingDelegate(events), onExpired: (why) => events.push(why) },
      );
      await until(() => events.includes('closed normal'), 15_000);
      expect(events).toEqual(['progress 183', 'accept+sdp', 'refresh_missing', 'closed normal']);
      expect(await carrier).toMatchObject({ successful: 1, failed: 0 });
    }, 60_000);
  });
});
