import { randomUUID } from 'node:crypto';

import { withDeadline } from '../../../ops/deadline';
import { keepNewest } from '../../../ops/keep-newest';
import { TokenBuckets } from '../../../ops/token-bucket';
import { decodeUserPart, parseUri } from '../message/uri';
import { isTranslated } from './binding-address';
import { applyRegister, matching, MAX_EXPIRES_SECONDS, MIN_EXPIRES_SECONDS } from './bindings';
import { contactList, MalformedRegisterError, pathOf, userAgentOf } from './contact-list';
import { firstHopLacksOutbound, registerAnswer } from './register-answer';

import type { BindingStore, SipBinding } from '../../../contract/registration';
import type { Clock } from '../../clock';
import type { SipIdentity } from '../auth/identity';
import type { SipLogger } from '../logger';
import type { SipRequest } from '../message/message';
import type { Refusal } from '../message/validation';
import type { SipPeer } from '../peer';
import type { BindingChange, Register } from './bindings';

interface RegistrarOptions {
  readonly store: BindingStore;
  readonly clock: Clock;
  readonly logger: SipLogger;
}

/** A client repeats its REGISTER for 32 s; it is told before it gives up. */
const STORE_LIMIT_MS = 2_000;
const RETRY_AFTER_SECONDS = 5;
/** Of one trunk: some phone systems register all of their lines at once. */
const RATE = { perSecond: 2, burst: 20, maxKeys: 20_000, drops: 'idle' } as const;
/** Trunks whose bindings are remembered for when PostgreSQL is away. */
const MAX_KNOWN_TRUNKS = 20_000;
const MAX_CALL_ID_LENGTH = 512;

/**
 * Registrar of the address-of-record `sip:<auth_username>@<any name of ours>` of every trunk (RFC 3261 §10.3). Bindings
 * are PostgreSQL's. While it is away, who only refreshes what it had here is answered from memory, so that a phone system
 * does not take its trunk out of service, and for a minute at most, so that it soon comes again; all else gets 503.
 */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #rates: TokenBuckets;
  /** As PostgreSQL last had them. */
  readonly #known = new Map<string, readonly SipBinding[]>();
  #storeAway = false;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#rates = new TokenBuckets({ ...RATE, clock: options.clock });
  }

  /** The final answer to a REGISTER whose credentials are good. Never rejects. */
  async register(request: SipRequest, identity: SipIdentity, peer: SipPeer): Promise<Refusal> {
    const { trunkId } = identity;
    // The trunk's own user and nobody else's (RFC 3261 §10.3 steps 4 and 5); every name of ours is the same domain.
    if (userOf(request.to?.uri) !== identity.username)
      return { status: 403, reason: 'To Must Be The User Of The Trunk' };
    let register: Register;
    try {
      register = this.#read(request, peer);
    } catch (error) {
      if (!(error instanceof MalformedRegisterError)) throw error;
      return { status: 400, reason: error.message };
    }
    if (firstHopLacksOutbound(register, request.list('via').length)) {
      return { status: 439 };
    }
    if (!this.#rates.take(trunkId)) return retryAfter(Math.ceil(this.#rates.waitMs(trunkId) / 1000));
    try {
      return await this.#keep(register, identity);
    } catch (error) {
      if (!this.#storeAway) this.#options.logger.warn({ err: error, trunkId }, 'registrations cannot be stored');
      this.#storeAway = true;
      return this.#fromMemory(register, trunkId);
    }
  }

  #read(request: SipRequest, { transport, address, port }: SipPeer): Register {
    if (request.callId.length > MAX_CALL_ID_LENGTH) throw new MalformedRegisterError('Call-ID Too Long');
    return {
      asks: contactList(request),
      path: pathOf(request),
      sipCallId: request.callId,
      cseq: request.cseq?.number ?? 0,
      userAgent: userAgentOf(request),
      source: { transport, address, port },
      translated: request.topVia !== null && isTranslated(request.topVia, { transport, address, port }),
      nodeId: this.#options.store.nodeId,
      longestSeconds: MAX_EXPIRES_SECONDS,
    };
  }

  async #keep(register: Register, { trunkId, orgId }: SipIdentity): Promise<Refusal> {
    const { store, clock } = this.#options;
    const nowMs = clock.epochMs();
    const made: { change?: BindingChange } = {};
    const updated = store.update({ trunkId, orgId }, (held) => {
      made.change = applyRegister(held, register, nowMs, randomUUID);
      return made.change.kind === 'refused' || register.asks.kind === 'fetch' ? null : made.change.bindings;
    });
    const exists = await withDeadline(updated, STORE_LIMIT_MS, { timers: clock });
    this.#storeAway = false;
    const { change } = made;
    // Deleted since its credentials were looked up.
    if (!exists || change === undefined) return { status: 403 };
    if (change.kind === 'refused') return change.refusal;
    this.#remember(trunkId, change.bindings);
    return registerAnswer(change.bindings, register, nowMs);
  }

  #fromMemory(register: Register, trunkId: string): Refusal {
    const nowMs = this.#options.clock.epochMs();
    const held = this.#known.get(trunkId)?.filter(({ expiresAtMs }) => expiresAtMs > nowMs) ?? [];
    if (!isRefresh(held, register)) return retryAfter(RETRY_AFTER_SECONDS);
    const short = { ...register, longestSeconds: MIN_EXPIRES_SECONDS };
    const change = applyRegister(held, short, nowMs, randomUUID);
    if (change.kind === 'refused') return change.refusal;
    this.#remember(trunkId, change.bindings);
    return registerAnswer(change.bindings, register, nowMs);
  }

  #remember(trunkId: string, bindings: readonly SipBinding[]): void {
    this.#known.delete(trunkId);
    this.#known.set(trunkId, bindings);
    keepNewest(this.#known, MAX_KNOWN_TRUNKS);
  }
}

/** Of what was known, from where it was known: nothing comes or goes. */
function isRefresh(held: readonly SipBinding[], { asks, source }: Register): boolean {
  if (asks.kind !== 'contacts') return false;
  return asks.contacts.every((contact) => {
    const [known] = matching(held, contact);
    const { transport, address, port } = known?.source ?? {};
    const same = transport === source.transport && address === source.address && port === source.port;
    return same && contact.expiresSeconds !== 0;
  });
}

function retryAfter(seconds: number): Refusal {
  return { status: 503, headers: [`Retry-After: ${Math.max(1, seconds)}`] };
}

function userOf(uri: string | undefined): string {
  return decodeUserPart(parseUri(uri ?? '')?.user ?? '');
}
