import { DISPOSITIONS } from '../../../../contract/endings';
import { errorOf, FakeApiServer } from '../../../fakes/fake-api-server';
import type { ApiReply } from '../../../fakes/fake-api-server';
import { commandLine } from '../../../support/command-line';
import type { CommandLineResult } from '../../../support/command-line';

const CALL = '01937f40-1111-7222-8333-444455556666';
const AGENT = '01937f3e-6c10-7f33-8a44-91b1a2c3d402';
const EVENTS = `GET /phone/calls/${CALL}/events`;

interface FakeEvent {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly data: object;
}

function event(second: number, type: string, data: object = {}): FakeEvent {
  return { id: `node:${second}`, at: new Date(Date.UTC(2026, 10, 24, 9, 0, second)).toISOString(), type, data };
}

describe('following a call', () => {
  let api: FakeApiServer;
  /** The timeline as it is stored at present. */
  let stored: FakeEvent[];

  beforeEach(async () => {
    api = await FakeApiServer.start();
    stored = [];
    api.routes.set(EVENTS, (_, url) => page(url));
    api.on(`GET /phone/calls/${CALL}`, { id: CALL, status: 'in_progress' });
  });

  afterEach(() => api.stop());

  /** As the API pages: by what an event sorts after. */
  function page(url: URL): ApiReply {
    const limit = Number(url.searchParams.get('limit'));
    const after = url.searchParams.get('cursor') ?? '';
    const rest = stored.toSorted((a, b) => (a.at < b.at ? -1 : 1)).filter(({ at }) => at > after);
    const items = rest.slice(0, limit);
    return { body: { items, next: rest.length > limit ? items.at(-1)?.at : null } };
  }

  /** Each pause lets the next of `steps` happen. */
  function run(args: readonly string[], ...steps: readonly (() => void)[]): Promise<CommandLineResult> {
    const left = [...steps];
    const sleep = (): Promise<void> => {
      left.shift()?.();
      return Promise.resolve();
    };
    return commandLine(args, { env: { TRUNKLINE_URL: api.url, TRUNKLINE_API_KEY: 'key' }, sleep });
  }

  const types = (stdout: string): string[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('  ')[1] ?? '');

  test('prints every event once as it comes, also one that sorts before others, and ends with the call', async () => {
    stored.push(event(1, 'dial_sent'));
    const { code, stdout } = await run(
      ['logs', CALL],
      () => stored.push(event(4, 'answered')),
      () => stored.push(event(3, 'ringing')),
      () => stored.push(event(8, 'call.ended')),
      () => stored.push(event(7, 'media_stats')),
    );
    expect([code, types(stdout)]).toEqual([0, ['dial_sent', 'answered', 'ringing', 'call.ended', 'media_stats']]);
  });

  test('reads on in a timeline of many pages, and comes back for what was late', async () => {
    stored = Array.from({ length: 250 }, (_, at) => event(at + 10, `e${at}`));
    const { stdout } = await run(
      ['logs', CALL],
      () => stored.push(event(300, 'e250')),
      () => stored.push(event(400, 'call.ended')),
      () => stored.push(event(1, 'late')),
    );
    expect(types(stdout)).toEqual([...Array.from({ length: 251 }, (_, at) => `e${at}`), 'call.ended', 'late']);
    // The first read and the last see three pages; between them only the last page is read.
    expect(api.requests).toHaveLength(3 + 1 + 1 + 3);
  });

  test('loses nothing of the pages before one that failed', async () => {
    stored.push(event(1, 'e0'));
    let failures = 0;
    const { stdout } = await run(['logs', CALL], () => {
      stored = Array.from({ length: 150 }, (_, at) => event(at + 1, `e${at}`));
      stored.push(event(200, 'call.ended'));
      api.routes.set(EVENTS, (_, url) => {
        const broken = url.searchParams.has('cursor') && failures++ === 0;
        return broken ? { status: 503, body: errorOf(503, 'later', 'Later') } : page(url);
      });
    });
    expect(types(stdout)).toEqual([...Array.from({ length: 150 }, (_, at) => `e${at}`), 'call.ended']);
  });

  test('of a call that is over reads it once', async () => {
    stored.push(event(1, 'dial_sent'), event(2, 'call.failed'));
    expect(types((await run(['logs', CALL])).stdout)).toEqual(['dial_sent', 'call.failed']);
    expect(api.requests).toHaveLength(1);
  });

  test('prints what there is and no more with --no-follow', async () => {
    stored.push(event(1, 'dial_sent'));
    expect(types((await run(['logs', CALL, '--no-follow'])).stdout)).toEqual(['dial_sent']);
  });

  test('prints one JSON object a line with --json', async () => {
    stored.push(event(1, 'sip', { entry: { reason: 'a\nb' } }), event(2, 'call.ended'));
    const { stdout } = await run(['logs', CALL, '--json']);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(stored);
  });

  test('tells SIP and speech in words, and nothing that a terminal obeys', async () => {
    stored.push(
      event(1, 'sip', { entry: { direction: 'out', method: 'INVITE', status: null, reason: null, cseq: '1 INVITE' } }),
      event(2, 'sip', {
        entry: { direction: 'in', method: 'INVITE', status: 486, reason: 'B\u001b[2J', cseq: '1 INVITE' },
      }),
      event(3, 'turn', { turn: { speaker: 'agent', text: 'Hello?' } }),
      event(4, 'media_stats', { stats: { mos: 4.1, packets: { lost: 0 } } }),
      event(5, 'call.failed', { disposition: 'busy', end_reason: null }),
    );
    expect((await run(['logs', CALL])).stdout).toBe(
      '09:00:01.000  sip           → INVITE\n' +
        '09:00:02.000  sip           ← 486 B\\u001b[2J (1 INVITE)\n' +
        '09:00:03.000  turn          agent: Hello?\n' +
        '09:00:04.000  media_stats   mos=4.1 packets.lost=0\n' +
        '09:00:05.000  call.failed   disposition=busy\n',
    );
  });

  test('outlasts an API that restarts or asks to wait', async () => {
    const failing = (status: number) => () =>
      api.routes.set(EVENTS, () => ({
        status,
        headers: { 'retry-after': '1' },
        body: errorOf(status, 'later', 'Later'),
      }));
    const { code, stdout } = await run(['logs', CALL], failing(503), failing(429), () => {
      stored.push(event(1, 'call.ended'));
      api.routes.set(EVENTS, (_, url) => page(url));
    });
    expect([code, types(stdout)]).toEqual([0, ['call.ended']]);
  });

  test('gives up on what will not pass', async () => {
    const { code, stderr } = await run(['logs', CALL], () =>
      api.on(EVENTS, errorOf(401, 'invalid_key', 'The key was revoked'), 401),
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('The key was revoked (401 invalid_key)')]);
  });

  test('does not wait for an API that was never there', async () => {
    await api.stop();
    expect((await run(['logs', CALL])).code).toBe(3);
  });

  test('ends with a call whose last event was lost', async () => {
    const { code } = await run(['logs', CALL], () =>
      api.on(`GET /phone/calls/${CALL}`, { id: CALL, status: 'completed' }),
    );
    expect(code).toBe(0);
  });

  describe('call --wait', () => {
    const NOT_ANSWERED = ['busy', 'no_answer', 'invalid_number', 'rejected', 'blocked', 'redirect', 'canceled'];
    const place = ['call', '+15559876543', '--agent', AGENT, '--wait'];

    function endedAs(disposition: string, endReason: string | null): void {
      stored.push(event(1, 'call.ended', { disposition }));
      api.on('POST /phone/outbound-call', { id: CALL, status: 'queued' });
      api.on(`GET /phone/calls/${CALL}`, { id: CALL, status: 'completed', disposition, end_reason: endReason });
    }

    test.each(DISPOSITIONS.map((disposition) => [disposition]))('exits by the disposition %s', async (disposition) => {
      endedAs(disposition, null);
      const answered = disposition === 'answered' || disposition === 'voicemail';
      const { code } = await run(place);
      expect(code).toBe(answered ? 0 : NOT_ANSWERED.includes(disposition) ? 4 : 5);
    });

    test('an answered call that a dead node ended has failed', async () => {
      endedAs('answered', 'media_node_lost');
      expect((await run(place)).code).toBe(5);
    });

    test('tells what the placing was warned of', async () => {
      endedAs('answered', null);
      const warnings = [{ path: 'contact_id', message: 'Not kept' }];
      api.on('POST /phone/outbound-call', { id: CALL, status: 'queued', warnings });
      expect((await run(place)).stderr).toBe('warning: contact_id: Not kept\n');
      expect(JSON.parse((await run([...place, '--json'])).stdout)).toMatchObject({ status: 'completed', warnings });
    });

    test('tells of which call it lost sight', async () => {
      endedAs('answered', null);
      api.on(EVENTS, errorOf(401, 'invalid_key', 'The key was revoked'), 401);
      expect(await run(place)).toMatchObject({ code: 1, stderr: expect.stringContaining(`  call_id: ${CALL}\n`) });
    });

    test('prints the events and the record, or the record alone as JSON', async () => {
      endedAs('busy', null);
      expect((await run(place)).stdout).toMatch(/call\.ended {4}disposition=busy\nid .*\n(.*\n)*disposition +busy\n/);
      expect(JSON.parse((await run([...place, '--json'])).stdout)).toMatchObject({ id: CALL, disposition: 'busy' });
    });
  });

  test('a call sends what its options say, and answers at once without --wait', async () => {
    api.on('POST /phone/outbound-call', { id: CALL, status: 'queued' });
    const options = [
      '--variable',
      'name=Ann',
      '--variable',
      'day=a=b',
      '--ring-timeout',
      '20',
      '--from',
      '+15551230000',
    ];
    const { code, stdout } = await run(['call', '+15559876543', '--agent', AGENT, ...options]);
    expect([code, stdout]).toEqual([0, `id      ${CALL}\nstatus  queued\n`]);
    expect(api.requests.map(({ body }) => body)).toEqual([
      {
        phone_agent_id: AGENT,
        phone_number: '+15559876543',
        caller_number: '+15551230000',
        ring_timeout_seconds: 20,
        variables: { name: 'Ann', day: 'a=b' },
      },
    ]);
  });

  test('a call of which nobody knows whether it was placed is told with its key, which places it once', async () => {
    api.on('POST /phone/outbound-call', errorOf(503, 'outcome_unknown', 'Not known', { call_id: CALL }), 503);
    const { code, stderr } = await run(['call', '+15559876543', '--agent', AGENT]);
    const key = api.requests[0]?.headers['idempotency-key'];
    expect(key).toMatch(/^[\da-f-]{36}$/);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`  call_id: ${CALL}\n  idempotency_key: ${String(key)}\n`),
    ]);
    await run(['call', '+15559876543', '--agent', AGENT, '--idempotency-key', 'mine']);
    expect(api.requests[1]?.headers['idempotency-key']).toBe('mine');
  });
});
