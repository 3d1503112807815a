import { SipResponse } from '../../../../../media/sip/message/message';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { judgeRegister } from '../../../../../media/sip/registration/register-answer';
import {
  refreshPauseMs,
  refusedPauseMs,
  retryAfterMs,
  retryPauseMs,
} from '../../../../../media/sip/registration/register-timing';

const ASKED = { seconds: 600, line: 'a1b2' };
const OURS = 'sip:user@192.0.2.1:5060;line=a1b2';

function answer(status: number, ...headers: readonly string[]): SipResponse {
  const lines = [`SIP/2.0 ${status} Whatever`, 'CSeq: 1 REGISTER', ...headers, 'Content-Length: 0', '', ''];
  const message = parseMessage(Buffer.from(lines.join('\r\n'), 'latin1'));
  if (!(message instanceof SipResponse)) throw new Error('no response');
  return message;
}

describe('what a registrar grants', () => {
  it.each([
    ['by our Contact among others', [`Contact: <sip:other@192.0.2.9>;expires=30, <${OURS}>;expires=120`], 120],
    ['by our Contact over Expires', ['Expires: 3600', `Contact: <${OURS}>;expires=90`], 90],
    ['by the only Contact, which it has changed', ['Contact: <sip:user@203.0.113.1:1024>;expires=60'], 60],
    ['by Expires', ['Expires: 300', `Contact: <${OURS}>`], 300],
    ['without a word, what was asked for', [`Contact: <${OURS}>`], 600],
    ['without a Contact', [], 600],
    ['no more than a day', [`Contact: <${OURS}>;expires=999999999`], 86_400],
    ['where the value is no number', [`Contact: <${OURS}>;expires=soon`], 600],
  ])('is read %s', (_, headers, seconds) => {
    expect(judgeRegister(answer(200, ...headers), ASKED)).toEqual({ kind: 'registered', seconds });
  });

  it('may be nothing, which is no registration', () => {
    const none = answer(200, `Contact: <${OURS}>;expires=0`);
    expect(judgeRegister(none, ASKED)).toMatchObject({ kind: 'failed', elsewhere: false });
    expect(judgeRegister(none, { ...ASKED, seconds: 0 })).toEqual({ kind: 'registered', seconds: 0 });
  });
});

describe('a refusal of REGISTER', () => {
  it.each([401, 407, 403, 404, 405, 420, 501, 603])('%i stands', (status) => {
    expect(judgeRegister(answer(status), ASKED).kind).toBe('refused');
  });

  it.each([302, 408, 429, 480, 500, 502, 503, 504])('%i passes', (status) => {
    expect(judgeRegister(answer(status), ASKED).kind).toBe('failed');
  });

  it('by 503 may not be that of another address, and says when to come again', () => {
    const busy = answer(503, 'Retry-After: 90 (maintenance)');
    expect(judgeRegister(busy, ASKED)).toMatchObject({ kind: 'failed', retryAfterSeconds: 90, elsewhere: true });
  });

  it('by 423 asks for more, or for nothing that we can do', () => {
    expect(judgeRegister(answer(423, 'Min-Expires: 1800'), ASKED)).toEqual({ kind: 'too_brief', minimumSeconds: 1800 });
    for (const headers of [[], ['Min-Expires: 60'], ['Min-Expires: 99999999']]) {
      expect(judgeRegister(answer(423, ...headers), ASKED).kind).toBe('failed');
    }
  });

  it("is told in words of ours, whatever the peer's reason phrase holds", () => {
    const told = judgeRegister(answer(403), ASKED);
    expect(told).toEqual({ kind: 'refused', reason: 'the carrier answers REGISTER with 403 Forbidden' });
  });
});

describe('when to register again', () => {
  const never = (): number => 0;
  const most = (): number => 0.999_999;

  it('is at 80 to 90 % of what was granted', () => {
    for (const seconds of [30, 60, 600, 3600]) {
      expect(refreshPauseMs(seconds, never)).toBeCloseTo(seconds * 800);
      expect(refreshPauseMs(seconds, most)).toBeLessThan(seconds * 900);
    }
  });

  it('is later after each failure, within the bounds of RFC 5626 §4.5', () => {
    expect([1, 2, 3].map((n) => retryPauseMs(n, never))).toEqual([30_000, 60_000, 120_000]);
    for (const failures of [1, 5, 50, 5000]) {
      expect(retryPauseMs(failures, never)).toBeGreaterThanOrEqual(30_000);
      expect(retryPauseMs(failures, most)).toBeLessThanOrEqual(1_800_000);
    }
  });

  it('is minutes to an hour after a refusal', () => {
    for (const refusals of [1, 3, 100]) {
      expect(refusedPauseMs(refusals, never)).toBeGreaterThanOrEqual(270_000);
      expect(refusedPauseMs(refusals, most)).toBeLessThanOrEqual(3_960_000);
    }
  });

  it('is when the carrier says, within bounds', () => {
    expect([0, 60, 999_999].map(retryAfterMs)).toEqual([5_000, 60_000, 3_600_000]);
  });
});
