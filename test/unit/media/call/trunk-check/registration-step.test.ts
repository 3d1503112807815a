import type { CheckStep, KeptRegistration } from '../../../../../contract/trunk-check';
import { registrationStep } from '../../../../../media/call/trunk-check/registration-step';
import { queryRegistration } from '../../../../../media/sip/registration/registration-query';
import { TRUNK } from '../../../../fakes/fake-directory';
import { FakeOutOfDialog, TARGET } from '../../../../fakes/media/sip/fake-out-of-dialog';

const CHALLENGE = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"';
const UNTIL = Date.parse('2026-11-24T10:00:00.000Z');

type Registration = NonNullable<KeptRegistration['registration']>;

function kept(changes: Partial<Registration> = {}, nodeId: string | null = 'node-7'): KeptRegistration {
  const registration = {
    state: 'registered',
    expiresAtMs: UNTIL,
    lastStatus: 200,
    lastError: null,
    ...changes,
  } as const;
  return { nodeId, registration };
}

const REFUSED = kept({ state: 'refused', expiresAtMs: null, lastStatus: 403, lastError: 'the carrier says no' });

/** @param answer to the REGISTER that has credentials */
async function stepFor(answer: FakeOutOfDialog['answer'], known: KeptRegistration | null): Promise<CheckStep> {
  const carrier = new FakeOutOfDialog();
  carrier.answer = (sent) =>
    sent.request.credentials?.length === 0 ? { status: 401, headers: [CHALLENGE] } : answer(sent);
  const query = await queryRegistration(carrier, { trunk: TRUNK, target: TARGET, timeoutMs: 1_000 });
  expect(carrier.sent.flatMap(({ headers }) => headers)).toEqual([]);
  return registrationStep(query, '', known);
}

const LISTED = { status: 200, headers: ['Contact: <sip:user@192.0.2.99;line=1>;expires=300'] };

describe('our registration with a carrier, as a check tells it', () => {
  it('is asked for by a REGISTER without Contact, and told with the node that keeps it', async () => {
    const step = await stepFor(() => LISTED, kept());
    expect(step).toMatchObject({ step: 'registration', ok: true, durationMs: 20, cause: null });
    expect(step.detail).toBe(
      'REGISTER was challenged with 401; with our credentials: 200 Test. The carrier knows 1 contact of this user. Media node node-7 looks after it: registered until 2026-11-24T10:00:00.000Z.',
    );
  });

  it.each<[string, ReturnType<FakeOutOfDialog['answer']>, KeptRegistration | null, boolean | null, RegExp]>([
    ['a wrong password', { status: 401, headers: [CHALLENGE] }, kept(), false, /password is wrong/],
    ['a user that is locked', 403, REFUSED, false, /refuses this user/],
    ['a user that is unknown', 404, REFUSED, false, /no such user/],
    ['no registrar', 405, REFUSED, false, /Nobody takes registrations/],
    ['a registrar that is overloaded', 503, REFUSED, false, /cannot serve/],
    ['nobody there', 'silent', REFUSED, false, /does not answer REGISTER/],
    ['nobody there any more', 'refused', kept(), null, /does not answer REGISTER/],
    ['credentials that are good, a registration that is not', LISTED, REFUSED, false, /failed nevertheless/],
    ['a carrier that has forgotten us', 200, kept(), null, /forgotten/],
    ['nobody who looks after it', LISTED, kept({}, null), null, /No media node looks after/],
    ['nobody who has begun', LISTED, { nodeId: null, registration: null }, null, /No media node looks after/],
  ])('%s', async (_, answer, known, ok, cause) => {
    const step = await stepFor(() => answer, known);
    expect(step.ok).toBe(ok);
    expect(step.cause).toMatch(cause);
    expect(step.remedy).not.toBe('');
  });

  it('counts more than an answer to the question alone', async () => {
    const step = await stepFor(() => 400, kept());
    expect([step.ok, step.detail]).toEqual([true, expect.stringContaining('400 Test')]);
  });

  it('is being made: neither well nor broken', async () => {
    const step = await stepFor(() => LISTED, kept({ state: 'registering', expiresAtMs: null }));
    expect([step.ok, step.cause]).toEqual([null, null]);
  });

  it('was refused when it was tried last, and why', async () => {
    expect((await stepFor(() => LISTED, REFUSED)).detail).toContain(
      'node-7 looks after it: refused, the carrier says no',
    );
    expect(registrationStep(null, 'Not asked: no address.', REFUSED)).toMatchObject({ ok: null, durationMs: null });
  });
});
