import fc from 'fast-check';

import type { TrunkRegistration } from '../../../../contract/trunk-health';
import { afterPing, combinedHealth, isUnsettled, NOT_PINGED, resumedReach } from '../../../../media/trunk/health-state';
import type { PingReach } from '../../../../media/trunk/health-state';
import type { PingVerdict } from '../../../../media/trunk/ping-verdict';

const REASON = { code: 'no_answer', message: 'silence' } as const;
const OUT = { code: 'unavailable', message: 'out of service' } as const;
const VERDICTS: Readonly<Record<PingVerdict['kind'], PingVerdict>> = {
  good: { kind: 'good', reasons: [], rttMs: 10, retryAfterSeconds: null },
  impaired: { kind: 'impaired', reasons: [OUT], rttMs: 10, retryAfterSeconds: null },
  bad: { kind: 'bad', reasons: [REASON], rttMs: null, retryAfterSeconds: null },
};
type Kind = PingVerdict['kind'];

const after = (...kinds: readonly Kind[]): PingReach =>
  kinds.reduce((reach, kind) => afterPing(reach, VERDICTS[kind]), NOT_PINGED);
const statesOf = (...kinds: readonly Kind[]): string[] => kinds.map((_, n) => after(...kinds.slice(0, n + 1)).state);

describe('what pings say of a trunk', () => {
  it('is degraded after one without an answer, down after three, and back with the second answer', () => {
    expect(statesOf('good', 'bad', 'bad', 'bad', 'good', 'good')).toEqual([
      'healthy',
      'degraded',
      'degraded',
      'down',
      'down',
      'healthy',
    ]);
  });

  it('is healthy again with the first answer where it was not down', () => {
    expect(statesOf('bad', 'good', 'bad', 'bad', 'good')).toEqual([
      'degraded',
      'healthy',
      'degraded',
      'degraded',
      'healthy',
    ]);
  });

  it('is degraded for as long as the carrier says that it is out of service', () => {
    expect(statesOf('impaired', 'impaired', 'impaired', 'impaired')).toEqual(Array(4).fill('degraded'));
    expect(statesOf('bad', 'bad', 'bad', 'impaired')).toEqual(['degraded', 'degraded', 'down', 'degraded']);
  });

  it('holds for any course of pings', () => {
    const course = fc.array(fc.constantFrom<Kind>('good', 'impaired', 'bad'), { maxLength: 40 });
    fc.assert(
      fc.property(course, (kinds) => {
        const reach = after(...kinds);
        const trailing = (kind: Kind): number => kinds.length - 1 - kinds.findLastIndex((other) => other !== kind);
        if (kinds.length === 0) expect(reach.state).toBe('unknown');
        else if (trailing('bad') >= 3) expect(reach.state).toBe('down');
        else if (trailing('good') >= 2) expect(reach.state).toBe('healthy');
        else if (kinds.at(-1) === 'impaired') expect(reach.state).toBe('degraded');
        // Never down but by three in a row, and never healthy with something wrong.
        if (reach.state === 'down') expect(kinds.join(' ')).toContain('bad bad bad');
        if (reach.state === 'healthy') expect(kinds.at(-1)).toBe('good');
        expect(reach.reasons.length === 0).toBe(reach.state === 'healthy' || reach.state === 'unknown');
        // What the next ping may change is asked again soon.
        const next = (['good', 'bad'] as const).map((kind) => afterPing(reach, VERDICTS[kind]).state);
        if (reach.state === 'down' && next[0] === 'healthy') expect(isUnsettled(reach)).toBe(true);
        if (reach.state === 'degraded' && kinds.at(-1) === 'bad') expect(isUnsettled(reach)).toBe(true);
        if (reach.state === 'healthy') expect(isUnsettled(reach)).toBe(false);
      }),
    );
  });

  it('goes on under another owner without a change of its own', () => {
    for (const kinds of [['good'], ['bad'], ['bad', 'bad', 'bad'], ['impaired']] as const) {
      const { state, reasons } = after(...kinds);
      expect(resumedReach({ state, reasons })).toMatchObject({ state, reasons });
    }
    const refused = { code: 'registration_refused', message: 'registration: no' } as const;
    expect(resumedReach({ state: 'down', reasons: [refused] })).toEqual(NOT_PINGED);
    expect(resumedReach({ state: 'down', reasons: [REASON, refused] })).toMatchObject({
      state: 'down',
      reasons: [REASON],
    });
  });
});

describe('health of a trunk', () => {
  const registration = (changes: Partial<TrunkRegistration>): TrunkRegistration => ({
    state: 'registered',
    expiresAtMs: 1,
    lastStatus: 200,
    lastError: null,
    ...changes,
  });
  const failed = registration({ state: 'failed', lastStatus: null, lastError: 'no answer to REGISTER' });
  const refused = registration({ state: 'refused', lastStatus: 401, lastError: 'wrong', expiresAtMs: null });

  it('is that of the pings while registration goes well, or has not begun', () => {
    for (const state of ['registered', 'registering'] as const) {
      expect(combinedHealth(after('good'), registration({ state }))).toEqual({ state: 'healthy', reasons: [] });
      expect(combinedHealth(after('bad'), registration({ state }))).toEqual({ state: 'degraded', reasons: [REASON] });
    }
  });

  it('is the worse of both, with the reasons of both', () => {
    expect(combinedHealth(after('good'), failed)).toEqual({
      state: 'degraded',
      reasons: [{ code: 'registration_failed', message: 'registration: no answer to REGISTER' }],
    });
    const both = combinedHealth(after('bad', 'bad', 'bad'), failed);
    expect([both.state, both.reasons.map(({ code }) => code)]).toEqual(['down', ['no_answer', 'registration_failed']]);
  });

  it('is down where the carrier does not accept our credentials, and degraded where it takes no registrations', () => {
    expect(combinedHealth(after('good'), refused).state).toBe('down');
    expect(combinedHealth(after('good'), { ...refused, lastStatus: 405 }).state).toBe('degraded');
  });

  it('is what registration says where nobody pings', () => {
    expect(combinedHealth(null, registration({})).state).toBe('healthy');
    expect(combinedHealth(null, registration({ state: 'registering' })).state).toBe('unknown');
    expect(combinedHealth(null, failed).state).toBe('degraded');
    expect(combinedHealth(null, { ...failed, expiresAtMs: null }).state).toBe('down');
    expect(combinedHealth(null, { ...refused, lastStatus: 405 }).state).toBe('down');
  });

  it('is unknown, and says why, where nobody looks', () => {
    const { state, reasons } = combinedHealth(null, null);
    expect([state, reasons.map(({ code }) => code)]).toEqual(['unknown', ['not_watched']]);
  });
});
