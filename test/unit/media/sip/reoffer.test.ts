import type { SipResponse } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import { SessionRefresh } from '../../../../media/sip/session-refresh';
import { FakeClock, settle } from '../../../fakes/fake-clock';

import type { ReofferOutcome } from '../../../../media/sip/dialog';
import type { InDialogRequest, InDialogResult } from '../../../../media/sip/dialog-requests';

const UPDATE = 'Allow: INVITE, ACK, BYE, UPDATE';
const refreshed = (by: 'uac' | 'uas', seconds = 90): string => `Session-Expires: ${seconds};refresher=${by}`;

function answer(status: number, headers: readonly string[] = [], sdp = ''): SipResponse {
  const body = sdp === '' ? [] : ['Content-Type: application/sdp'];
  const lines = [`SIP/2.0 ${status} Test`, ...headers, ...body, `Content-Length: ${sdp.length}`, '', sdp];
  return parseMessage(Buffer.from(lines.join('\r\n'), 'latin1')) as SipResponse;
}

/** One end of a session whose peer answers by hand. */
class Session {
  readonly clock = new FakeClock();
  readonly sent: { readonly request: InDialogRequest; readonly done: (result: InDialogResult) => void }[] = [];
  readonly told: string[] = [];
  readonly refresh: SessionRefresh;

  constructor(ownsCallId = false, granted: readonly string[] = []) {
    this.refresh = new SessionRefresh({
      clock: this.clock,
      policy: { intervalSeconds: 1_800, minimumSeconds: 90 },
      ownsCallId,
      request: (request, done) => this.sent.push({ request, done }),
      offer: () => 'v=0 in force',
      onAnswer: (sdp) => this.told.push(`answer ${sdp}`),
      onFailed: (why) => this.told.push(why),
    });
    this.refresh.granted(answer(200, granted));
  }

  /** Each offer with what became of it, in the order of the ends. */
  readonly outcomes: [offer: string, outcome: ReofferOutcome][] = [];

  reoffer(sdp: string): void {
    void this.refresh.reoffer(() => sdp).then((outcome) => this.outcomes.push([sdp, outcome]));
  }

  get offers(): (string | undefined)[] {
    return this.sent.map(({ request }) => request.sdp);
  }

  async answered(result: InDialogResult): Promise<void> {
    this.sent.at(-1)!.done(result);
    await settle();
  }
}

describe('a re-INVITE of ours that changes the session', () => {
  it.each<[InDialogResult, ReofferOutcome]>([
    [answer(200, [], 'v=0 theirs'), { ok: true, sdp: 'v=0 theirs' }],
    [answer(200), { ok: false, status: 200 }],
    [answer(302), { ok: false, status: 302 }],
    [answer(401), { ok: false, status: 401 }],
    [answer(488), { ok: false, status: 488 }],
    [answer(500), { ok: false, status: 500 }],
    [answer(500, ['Retry-After: 11']), { ok: false, status: 500 }],
    [answer(503, ['Retry-After: 1']), { ok: false, status: 503 }],
    ['transport_error', { ok: false, status: null }],
  ])('ends with what the peer says, and leaves the call be %#', async (result, outcome) => {
    const session = new Session();
    session.reoffer('v=0 ours');
    expect(session.sent[0]!.request).toEqual({ method: 'INVITE', headers: [], sdp: 'v=0 ours' });
    await session.answered(result);
    await session.clock.advance(60_000);
    expect([session.sent.length, session.outcomes, session.told]).toEqual([1, [['v=0 ours', outcome]], []]);
  });

  it.each<[InDialogResult, ReofferOutcome, string]>([
    ['timeout', { ok: false, status: null }, 'refresh_timeout'],
    [answer(408), { ok: false, status: 408 }, 'refresh_refused'],
    [answer(481), { ok: false, status: 481 }, 'refresh_refused'],
  ])('ends the call when nobody is there, or knows of it (RFC 3261 §12.2.1.2) %#', async (result, outcome, told) => {
    const session = new Session();
    session.reoffer('v=0 ours');
    await session.answered(result);
    expect([session.outcomes, session.told]).toEqual([[['v=0 ours', outcome]], [told]]);
  });

  it('waits for the one before, and with the end of the dialog all are given up', async () => {
    const session = new Session();
    for (const sdp of ['v=0 1', 'v=0 2', 'v=0 3']) session.reoffer(sdp);
    expect(session.offers).toEqual(['v=0 1']);
    await session.answered(answer(488));
    expect(session.offers).toEqual(['v=0 1', 'v=0 2']);
    session.refresh.stop();
    session.reoffer('v=0 4');
    await session.answered(answer(200, [], 'v=0 late'));
    expect([session.offers.length, session.outcomes]).toEqual([
      2,
      [
        ['v=0 1', { ok: false, status: 488 }],
        ['v=0 2', { ok: false, status: null }],
        ['v=0 3', { ok: false, status: null }],
        ['v=0 4', { ok: false, status: null }],
      ],
    ]);
    expect(session.clock.armed).toBe(0);
  });

  it('one asked for by the answer to another waits for nothing else', async () => {
    const session = new Session();
    const both = session.refresh
      .reoffer(() => 'v=0 1')
      .then((first) => session.refresh.reoffer(() => `v=0 after ${first.ok}`));
    await session.answered(answer(200, [], 'v=0 theirs'));
    expect(session.offers).toEqual(['v=0 1', 'v=0 after true']);
    await session.answered(answer(200, [], 'v=0 theirs too'));
    expect(await both).toEqual({ ok: true, sdp: 'v=0 theirs too' });
  });
});

describe('a glare (RFC 3261 §14.1)', () => {
  it.each([
    [true, 2_100, 4_000],
    [false, 0, 2_000],
  ])('is waited out by the owner of the Call-ID: %s', async (owns, fromMs, toMs) => {
    const waits: number[] = [];
    for (let i = 0; i < 60; i++) {
      const session = new Session(owns);
      session.reoffer('v=0 ours');
      await session.answered(answer(491));
      const since = session.clock.now();
      while (session.sent.length === 1) await session.clock.advance(10);
      waits.push(session.clock.now() - since);
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(fromMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(Math.max(toMs, 10));
    expect(new Set(waits).size).toBeGreaterThan(10);
  });

  it('is tried five times more, each time with what holds by then; the next one waits as long', async () => {
    const session = new Session();
    let tries = 0;
    const first = session.refresh.reoffer(() => `v=0 try ${++tries}`);
    session.reoffer('v=0 next');
    for (let i = 0; i < 6; i++) {
      expect(session.offers).toHaveLength(i + 1);
      await session.answered(answer(491));
      await session.clock.advance(2_000);
    }
    expect(session.offers.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `v=0 try ${n}`));
    expect(await first).toEqual({ ok: false, status: 491 });
    // Who comes after has five of its own.
    expect(session.offers.slice(6)).toEqual(['v=0 next']);
    await session.answered(answer(491));
    await session.clock.advance(2_000);
    await session.answered(answer(200, [], 'v=0 theirs'));
    expect(session.outcomes).toEqual([['v=0 next', { ok: true, sdp: 'v=0 theirs' }]]);
  });

  it('with an offer that the peer has open is waited out as long as it says', async () => {
    const session = new Session();
    session.reoffer('v=0 ours');
    await session.answered(answer(500, ['Retry-After: 7']));
    await session.clock.advance(6_999);
    expect(session.sent).toHaveLength(1);
    await session.clock.advance(1);
    expect(session.sent).toHaveLength(2);
  });

  it('is not tried again when what was offered is not wanted any more, or the dialog has ended', async () => {
    const session = new Session();
    const offers = ['v=0 ours'];
    const outcome = session.refresh.reoffer(() => offers.shift() ?? null);
    await session.answered(answer(491));
    await session.clock.advance(2_000);
    expect([session.sent.length, await outcome]).toEqual([1, { ok: false, status: null }]);
    session.reoffer('v=0 another');
    await session.answered(answer(491));
    session.refresh.stop();
    await settle();
    expect([session.clock.armed, session.outcomes]).toEqual([0, [['v=0 another', { ok: false, status: null }]]]);
  });
});

describe('a re-INVITE in a session that expires (RFC 4028)', () => {
  it.each([
    ['uac', 'uac'],
    ['uas', 'uas'],
  ] as const)('asks for what holds, the refresher %s included, and refreshes it', async (by, asked) => {
    const session = new Session(true, [refreshed(by)]);
    await session.clock.advance(40_000);
    session.reoffer('v=0 hold');
    expect(session.sent[0]!.request.headers).toEqual([`Session-Expires: 90;refresher=${asked}`, 'Min-SE: 90']);
    await session.answered(answer(200, [refreshed(by)], 'v=0 held'));
    await session.clock.advance(44_999);
    expect([session.sent.length, session.told]).toEqual([1, []]);
    await session.clock.advance(15_001);
    if (by === 'uac') expect(session.sent).toHaveLength(2);
    else expect(session.told).toEqual(['refresh_missing']);
  });

  it('a refresh that comes due meanwhile is spared, and due again after that', async () => {
    const session = new Session(true, [refreshed('uac')]);
    await session.clock.advance(44_000);
    session.reoffer('v=0 hold');
    await session.clock.advance(2_000);
    await session.answered(answer(200, [refreshed('uac')], 'v=0 held'));
    expect(session.sent).toHaveLength(1);
    await session.clock.advance(45_000);
    expect(session.offers).toEqual(['v=0 hold', 'v=0 in force']);
  });

  it('a refresh that comes due meanwhile goes out when the re-INVITE is refused', async () => {
    const session = new Session(true, [refreshed('uac'), UPDATE]);
    await session.clock.advance(44_000);
    session.reoffer('v=0 hold');
    await session.clock.advance(2_000);
    await session.answered(answer(488));
    expect(session.sent.map(({ request }) => request.method)).toEqual(['INVITE', 'UPDATE']);
    // And an offer waits for the refresh.
    session.reoffer('v=0 another');
    expect(session.sent).toHaveLength(2);
    await session.answered(answer(200, [refreshed('uac')]));
    expect(session.offers).toEqual(['v=0 hold', undefined, 'v=0 another']);
  });

  it('is sent again at once for a longer interval, and before the next', async () => {
    const session = new Session(true, [refreshed('uas')]);
    session.reoffer('v=0 hold');
    session.reoffer('v=0 unhold');
    await session.answered(answer(422, ['Min-SE: 300']));
    expect(session.offers).toEqual(['v=0 hold', 'v=0 hold']);
    expect(session.sent[1]!.request.headers).toEqual(['Session-Expires: 300;refresher=uas', 'Min-SE: 300']);
    await session.answered(answer(422, ['Min-SE: 300']));
    expect([session.offers[2], session.outcomes]).toEqual(['v=0 unhold', [['v=0 hold', { ok: false, status: 422 }]]]);
  });

  it('keeps the refreshes up when its 200 forgets Session-Expires', async () => {
    const session = new Session(true, [refreshed('uas')]);
    session.reoffer('v=0 hold');
    await session.answered(answer(200, [], 'v=0 held'));
    await session.clock.advance(45_000);
    expect(session.offers).toEqual(['v=0 hold', 'v=0 in force']);
  });
});
