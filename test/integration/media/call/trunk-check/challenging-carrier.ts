import { checkDigest, headerOf } from '../../../../support/phone/sip-text';
import type { OptionsAnswer } from '../../../../support/phone/options';
import type { SipText } from '../../../../support/phone/sip-text';

/** A carrier that wants credentials for OPTIONS. */
export function challenging(known: { username: string; password: string }, unknownUserStatus = 401) {
  const nonce = 'one-nonce';
  return (request: SipText): OptionsAnswer => {
    const authorization = headerOf(request, 'authorization');
    const challenge = `Digest realm="carrier.test", nonce="${nonce}", algorithm=MD5, qop="auth"`;
    const unauthorized: OptionsAnswer = {
      status: 401,
      reason: 'Unauthorized',
      headers: [['WWW-Authenticate', challenge]],
    };
    if (authorization === '') return unauthorized;
    if (checkDigest(authorization, known, 'OPTIONS', nonce)) return { status: 200, reason: 'OK' };
    const stranger = !authorization.includes(`username="${known.username}"`);
    return stranger && unknownUserStatus !== 401 ? { status: unknownUserStatus, reason: 'Forbidden' } : unauthorized;
  };
}
