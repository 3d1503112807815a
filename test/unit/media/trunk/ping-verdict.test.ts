import { NameError } from '../../../../media/sip/edge/name-error';
import { verdictOf } from '../../../../media/trunk/ping-verdict';
import type { AddressPing } from '../../../../media/trunk/ping-verdict';
import { isOwnLack, unreachableReason } from '../../../../media/trunk/unreachable-reason';

const answered = (status: number, more: Partial<AddressPing & { kind: 'answered' }> = {}): AddressPing => ({
  kind: 'answered',
  target: '192.0.2.1:5060/udp',
  status,
  rttMs: 20,
  retryAfterSeconds: null,
  ...more,
});
const silent: AddressPing = { kind: 'silent', target: '192.0.2.2:5060/udp' };
const unreachable = (error: unknown): AddressPing => ({
  kind: 'unreachable',
  reason: unreachableReason(error, '192.0.2.3:5060/tcp'),
  ownLack: isOwnLack(error),
});
const systemError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('a ping', () => {
  it.each([200, 302, 400, 401, 403, 404, 405, 407, 480, 486, 488, 500, 501, 603])(
    'is good with an answer of %i',
    (status) => {
      expect(verdictOf([answered(status)])).toEqual({ kind: 'good', reasons: [], rttMs: 20, retryAfterSeconds: null });
    },
  );

  it.each([408, 504])('is bad where a proxy says by %i that nobody answers it', (status) => {
    const { kind, reasons } = verdictOf([answered(status)]);
    expect([kind, reasons.map(({ code }) => code)]).toEqual(['bad', ['no_answer']]);
  });

  it.each([502, 503])('is impaired by %i, which is told with its Retry-After', (status) => {
    const verdict = verdictOf([answered(status, { retryAfterSeconds: 120 })]);
    expect(verdict).toMatchObject({ kind: 'impaired', retryAfterSeconds: 120, reasons: [{ code: 'unavailable' }] });
    expect(verdict.reasons[0]?.message).toContain('for 120 s');
  });

  it('is bad without any answer, and names each address', () => {
    const { kind, reasons, rttMs } = verdictOf([silent, unreachable(systemError('ECONNREFUSED'))]);
    expect([kind, rttMs]).toEqual(['bad', null]);
    expect(reasons).toEqual([
      { code: 'no_answer', message: '192.0.2.2:5060/udp: no answer to OPTIONS' },
      { code: 'connection_refused', message: '192.0.2.3:5060/tcp: connection refused' },
    ]);
  });

  it('is impaired where one of several addresses does not answer', () => {
    expect(verdictOf([answered(200), silent])).toMatchObject({ kind: 'impaired', reasons: [{ code: 'no_answer' }] });
  });

  it('does not blame the carrier for a family of addresses that this machine has no way to', () => {
    for (const lack of [systemError('ENETUNREACH'), new Error('no SIP listener for IPv6')]) {
      expect(verdictOf([answered(404), unreachable(lack)]).kind).toBe('good');
      expect(verdictOf([unreachable(lack)]).kind).toBe('bad');
    }
  });

  it('tells no more than people read', () => {
    expect(verdictOf(Array<AddressPing>(20).fill(silent)).reasons).toHaveLength(5);
  });
});

describe('why a trunk cannot be reached', () => {
  it.each([
    ['not_found', 'host_not_found', 'sip.example: no such host name'],
    ['no_answer', 'name_server_silent', 'sip.example: name server does not answer'],
    ['failed', 'name_server_failed', 'sip.example: name server failed'],
  ] as const)('is in plain words: %s', (failure, code, message) => {
    const reason = unreachableReason(new NameError('sip.example', failure), null);
    expect(reason).toEqual({ code, message });
    expect(verdictOf([{ kind: 'unreachable', reason, ownLack: false }])).toMatchObject({
      kind: 'bad',
      reasons: [reason],
    });
  });

  it.each([
    ['ECONNREFUSED', 'connection_refused'],
    ['ETIMEDOUT', 'connection_timed_out'],
    ['EHOSTUNREACH', 'host_unreachable'],
    ['EPIPE', 'transport_error'],
  ])('%s is %s', (system, code) => {
    expect(unreachableReason(systemError(system), 'x')).toMatchObject({ code });
  });
});
