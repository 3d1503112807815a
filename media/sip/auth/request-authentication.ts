import { DigestServer } from './digest-server';
import { flowName } from '../peer';

import type { Clock } from '../../clock';
import type { SipRejectReason } from '../counters';
import type { SipEndpointDelegate } from '../endpoint';
import type { SipLogger } from '../logger';
import type { SipRequest } from '../message/message';
import type { Refusal } from '../message/validation';
import type { SipPeer } from '../peer';
import type { RegisteredLines } from '../registration/registered-lines';
import type { SipIdentity } from './identity';

interface RequestAuthenticationOptions {
  /** Key of the nonces, the same on all nodes. */
  readonly nonceKey: Buffer;
  readonly clock: Clock;
  readonly logger: SipLogger;
  readonly lines: RegisteredLines;
  readonly delegate: Pick<SipEndpointDelegate, 'credentials' | 'knownAt' | 'onDenied'>;
}

type Authentication =
  | { readonly kind: 'proven'; readonly identity: SipIdentity }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly reason: SipRejectReason }
  /** No answer, see `DigestServer`. */
  | { readonly kind: 'paused' };

const REALM = 'trunkline';
/** In the words of a wrong password: who guesses learns nothing by it. */
export const SOURCE_REFUSAL: Refusal = { status: 403 };

/** Whose an INVITE or REGISTER is: by the line that we registered, by the address, or by credentials. Keeps no state of a request. */
export class RequestAuthentication {
  readonly #options: RequestAuthenticationOptions;
  readonly #digest: DigestServer;

  constructor(options: RequestAuthenticationOptions) {
    this.#options = options;
    const { nonceKey, clock, logger, delegate } = options;
    this.#digest = new DigestServer({
      realm: REALM,
      nonceKey,
      clock,
      credentials: (username) => delegate.credentials(username),
      onGuesses: (report) => logger.warn(report, 'wrong SIP credentials'),
      onDenied: (trunkId, source, why) => delegate.onDenied?.(trunkId, source, why),
    });
  }

  authenticate(request: SipRequest, peer: SipPeer): Authentication {
    const { lines, delegate, logger } = this.#options;
    const { address } = peer;
    const line = lines.find(request, address);
    if (line !== undefined) return { kind: 'proven', identity: line.identity };
    // A carrier that is known by its address may nevertheless send credentials; they decide when they are good.
    const known = delegate.knownAt?.(address);
    if (known !== undefined && !this.#digest.isAnswered(request)) return { kind: 'proven', identity: known };
    const verdict = this.#digest.verify(request, address, flowName(peer));
    if (verdict.kind !== 'accepted' && known !== undefined) return { kind: 'proven', identity: known };
    switch (verdict.kind) {
      case 'accepted': {
        const { trunkId, orgId, username, sources = null } = verdict.credentials;
        if (sources?.has(address) === false) {
          logger.warn({ trunkId, address }, 'right SIP credentials from an address that the trunk does not list');
          return { kind: 'refused', refusal: SOURCE_REFUSAL, reason: 'source_not_allowed' };
        }
        return { kind: 'proven', identity: { trunkId, orgId, username, sources } };
      }
      case 'challenge': {
        const headers = this.#digest.challenge(address, verdict.stale, request.first('user-agent'));
        const reason = verdict.stale ? 'stale_nonce' : 'challenged';
        return { kind: 'refused', refusal: { status: 401, headers }, reason };
      }
      case 'other_uri': {
        const refusal = { status: 400, reason: 'Digest URI Is Not The Request-URI' };
        return { kind: 'refused', refusal, reason: 'invalid_request' };
      }
      case 'denied':
        return { kind: 'refused', refusal: { status: 403 }, reason: 'wrong_credentials' };
      case 'paused':
        return { kind: 'paused' };
    }
  }

  close(): void {
    this.#digest.close();
  }
}
