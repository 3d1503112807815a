import type { SipRequest, SipResponse } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import { SessionRefresh } from '../../../../media/sip/session-refresh';
import { FakeClock } from '../../../fakes/fake-clock';

import type { InDialogRequest, InDialogResult } from '../../../../media/sip/dialog-requests';

const POLICY = { intervalSeconds: 1_800, minimumSeconds: 90 };
const OURS = ['Session-Expires: 90;refresher=uac'];
const UPDATE = 'Allow: INVITE, ACK, BYE, UPDATE';

function answer(status: number, headers: readonly string[] = [], sdp = ''): SipResponse {
  const body = sdp === '' ? [] : ['Content-Type: application/sdp'];
  const lines = [`SIP/2.0 ${status} Test`, ...headers, ...body, `Content-Length: ${sdp.length}`, '', sdp];
  return parseMessage(Buffer.from(lines.join('\r\n'), 'latin1')) as SipResponse;
}

class Session {
  readonly clock = new FakeClock();
  readonly sent: {
    readonly request: InDialogRequest;
    readonly atMs: number;
    readonly done: (r: InDialogResult) => void;
  }[] = [];
  readonly told: string[] = [];
  offer: string | null = 'v=0 ours';
  /** Answers every request at once. */
  always: InDialogResult | null = null;
  readonly refresh: SessionRefresh;

  constructor(ownsCallId = true) {
    this.refresh = new SessionRefresh({
      clock: this.clock,
      policy: POLICY,
      ownsCallId,
      request: (request, done) => {
        this.sent.push({ request, atMs: this.clock.now(), done });
        if (this.always !== null) done(this.always);
      },
      offer: () => this.offer,
      onAnswer: (sdp) => this.told.push(`answer ${sdp}`),
      onFailed: (why) => this.told.push(`${why} ${this.clock.now()}`),
    });
  }

  get last(): InDialogRequest {
    return this.sent.at(-1)!.request;
  }

  /** Answers the last request, and waits for the next one. */
  async answered(result: InDialogResult, waitMs: number): Promise<void> {
    this.sent.at(-1)!.done(result);
    await this.clock.advance(waitMs);
  }
}

describe('a session that we refresh', () => {
  it('is refreshed by UPDATE without SDP where the peer takes it', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, [...OURS, UPDATE]));
    await session.clock.advance(45_000);
    expect(session.last).toEqual({ method: 'UPDATE', headers: ['Session-Expires: 90;refresher=uac', 'Min-SE: 90'] });
    await session.answered(answer(200, [...OURS, UPDATE]), 44_999);
    expect(session.sent).toHaveLength(1);
    await session.clock.advance(1);
    expect(session.sent).toHaveLength(2);
    expect(session.told).toEqual([]);
  });

  it('is refreshed by a re-INVITE with the SDP in force where it does not, and hears the answer', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    expect(session.last).toMatchObject({ method: 'INVITE', sdp: 'v=0 ours' });
    await session.answered(answer(200, OURS, 'v=0 theirs'), 0);
    expect(session.told).toEqual(['answer v=0 theirs']);
  });

  it.each([405, 501])('is refreshed by re-INVITE at once when UPDATE is answered %d', async (status) => {
    const session = new Session();
    session.refresh.granted(answer(200, [...OURS, UPDATE]));
    await session.clock.advance(45_000);
    await session.answered(answer(status), 0);
    expect(session.sent.map(({ request }) => request.method)).toEqual(['UPDATE', 'INVITE']);
    await session.answered(answer(200, OURS), 45_000);
    expect(session.last.method).toBe('INVITE');
  });

  it('asks for more when a 422 says so, and not without end', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    await session.answered(answer(422, ['Min-SE: 300']), 0);
    expect(session.last.headers).toEqual(['Session-Expires: 300;refresher=uac', 'Min-SE: 300']);
    // The same demand again, and less, are no reason for another try at once.
    await session.answered(answer(422, ['Min-SE: 300']), 0);
    expect(session.sent).toHaveLength(2);
    await session.clock.advance(4_000);
    for (const more of [400, 500, 600, 700]) await session.answered(answer(422, [`Min-SE: ${more}`]), 0);
    expect(session.sent).toHaveLength(5);
  });

  it('keeps the refreshes up when a 200 forgets Session-Expires', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    for (let i = 1; i <= 3; i++) {
      await session.clock.advance(45_000);
      expect(session.sent).toHaveLength(i);
      session.sent.at(-1)!.done(answer(200));
    }
  });

  it('leaves the refreshing to the peer when the 200 says so', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    await session.answered(answer(200, ['Session-Expires: 90;refresher=uas']), 59_999);
    expect([session.sent.length, session.told]).toEqual([1, []]);
    await session.clock.advance(1);
    expect(session.told).toEqual(['refresh_missing 105000']);
  });

  it.each<[InDialogResult, string]>([
    ['timeout', 'refresh_timeout 45000'],
    [answer(408), 'refresh_refused 45000'],
    [answer(481), 'refresh_refused 45000'],
  ])('ends when a refresh shows that nobody is there %#', async (result, told) => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    await session.answered(result, 0);
    expect(session.told).toEqual([told]);
    session.refresh.stop();
    expect(session.clock.armed).toBe(0);
  });

  it.each<[InDialogResult, readonly number[]]>([
    [answer(500), [45, 49, 57]],
    [answer(488), [45, 49, 57]],
    ['transport_error', [45, 49, 57]],
    [answer(503, ['Retry-After: 6']), [45, 51, 59]],
    [answer(503, ['Retry-After: 99999999']), [45]],
  ])('is tried again after another refusal, and ends in its time %#', async (result, seconds) => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    session.always = result;
    await session.clock.advance(90_000);
    expect(session.sent.map(({ atMs }) => atMs / 1_000)).toEqual(seconds);
    expect(session.told).toEqual(['refresh_failed 60000']);
  });

  it.each([
    [true, 2_100, 4_000],
    [false, 0, 2_000],
  ])('waits after a glare as RFC 3261 §14.1 says, owner of the Call-ID: %s', async (owns, fromMs, toMs) => {
    const waits = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const session = new Session(owns);
      session.refresh.granted(answer(200, OURS));
      await session.clock.advance(45_000);
      await session.answered(answer(491), 5_000);
      waits.add(session.sent[1]!.atMs - 45_000);
    }
    for (const wait of waits) {
      expect(wait % 10).toBe(0);
      expect(wait >= fromMs && wait <= toMs).toBe(true);
    }
    expect(waits.size).toBeGreaterThan(10);
  });

  it('waits while there is no SDP to offer', async () => {
    const session = new Session();
    session.offer = null;
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    expect(session.sent).toHaveLength(0);
    session.offer = 'v=0 ours';
    await session.clock.advance(4_000);
    expect(session.sent).toHaveLength(1);
  });

  it('takes the peer’s own refresh for its own that fails meanwhile', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    const update = parseMessage(
      Buffer.from('UPDATE sip:a@b SIP/2.0\r\nSupported: timer\r\nx: 90;refresher=uac\r\nContent-Length: 0\r\n\r\n'),
    ) as SipRequest;
    expect(session.refresh.grant(update)).toEqual(['Session-Expires: 90;refresher=uac', 'Require: timer']);
    await session.answered('timeout', 59_999);
    expect(session.told).toEqual([]);
    await session.clock.advance(1);
    expect(session.told).toEqual(['refresh_missing 105000']);
  });

  it('an answer that comes after the end changes nothing', async () => {
    const session = new Session();
    session.refresh.granted(answer(200, OURS));
    await session.clock.advance(45_000);
    session.refresh.stop();
    await session.answered(answer(200, OURS, 'v=0 late'), 100_000);
    expect([session.sent.length, session.told, session.clock.armed]).toEqual([1, [], 0]);
  });
});
