import type { Context } from 'koa';

import { ApiError } from '../errors';
import type { Principal, Scope } from '../route';
import { applyRateLimit } from './rate-limit';
import type { RateDecision } from './rate-limit';

export interface Admission {
  readonly principal: Principal;
  /** The request is counted, whatever becomes of it. */
  readonly rate: RateDecision;
}

export interface Authenticator {
  /**
   * Undefined for a key that is unknown, revoked or expired.
   * @param address Where the request came from: that of the connection, which no header can change.
   * @param streaming Its answer stays open: such requests have a rate of their own.
   */
  authenticate(key: string, address: string, streaming?: boolean): Promise<Admission | undefined>;
}

/** Bearer keys (RFC 6750 §2.1), within their rate. The same 401 whether a key is missing, unknown, expired or revoked. */
export async function authenticate(ctx: Context, authenticator: Authenticator, streaming: boolean): Promise<Principal> {
  const key = /^Bearer +([\x21-\x7e]{8,200}) *$/i.exec(ctx.get('Authorization'))?.[1];
  const admission = key === undefined ? undefined : await authenticator.authenticate(key, ctx.ip, streaming);
  if (admission === undefined) {
    throw new ApiError(401, 'unauthorized', 'A valid API key is needed: Authorization: Bearer <key>');
  }
  const { principal, rate } = admission;
  applyRateLimit(ctx, rate);
  if (principal.suspended)
    throw new ApiError(403, 'organisation_suspended', 'The organisation of this key is suspended');
  return principal;
}

/** A write scope includes reading. */
export function requireScope(principal: Principal, scope: Scope | 'full'): void {
  const { scopes } = principal;
  if (scopes.includes('full') || scopes.includes(scope)) return;
  if (scope.endsWith(':read') && scopes.includes(scope.replace(':read', ':write'))) return;
  throw new ApiError(403, 'missing_scope', `This key lacks the scope ${scope}`, { details: { required_scope: scope } });
}

export function requireOperator(principal: Principal): void {
  if (!principal.operator) throw new ApiError(403, 'operator_only', "Only a key of the server's operator may do this");
}
