/**
 * Our registration with one carrier (RFC 3261 §10.2):
 *
 *     registering → registered ⇄ failed         refresh at 80 to 90 % of what was granted
 *          └──────→ failed → … (RFC 5626 §4.5)
 *          └──────→ refused → … (minutes to an hour)
 *     any → stopped, and un-registered where the Contact is still ours to take back
 *
 * Only our own Contact is ever registered or taken back, never all of the address of record.
 */
import { randomBytes } from 'node:crypto';

import { TimerSet } from '../../clock';
import { DigestClient } from '../auth/digest-client';
import { sendAuthenticated } from '../authenticated-request';
import { whyUnreachable } from '../edge/resolver';
import { encodeUserPart } from '../message/uri';
import { judgeRegister } from './register-answer';
import { trunkRegister } from './trunk-register';
import { refreshPauseMs, refusedPauseMs, retryAfterMs, retryPauseMs } from './register-timing';

import type { OutboundTrunkProfile } from '../../../contract/directory';
import type { TrunkRegistration } from '../../../contract/trunk-health';
import type { Clock } from '../../clock';
import type { UnsignedRequest } from '../authenticated-request';
import type { Flow } from '../edge/flow';
import type { ResolvedTarget } from '../edge/resolver';
import type { OutOfDialog } from '../out-of-dialog';
import type { RegisterVerdict } from './register-answer';
import type { RegisteredLines } from './registered-lines';

export interface RegistrationOptions {
  readonly trunk: OutboundTrunkProfile;
  /** How it went for another owner of the trunk; null for the first. */
  readonly before: TrunkRegistration | null;
  readonly outOfDialog: OutOfDialog;
  readonly lines: RegisteredLines;
  readonly clock: Clock;
  /** Like Math.random. */
  readonly random: () => number;
  /** Whether this node still looks after the trunk: asked before anything is sent. */
  readonly mayAct: () => boolean;
  readonly onChange: () => void;
}

/** A registrar that has forgotten us is noticed within this, and a TCP connection is used before it is taken for idle. */
const ASKED_SECONDS = 600;
const TIMER_F_MS = 32_000;
/** Where other addresses are left. */
const TRY_MS = 5_000;
const UNREGISTER_MS = 2_000;
const MAX_TARGETS = 8;
/** 423 after 423. */
const MAX_RAISES = 2;
/** Until it is known again whether the trunk is ours. */
const ASK_AGAIN_MS = 1_000;
/** After a connection broke. */
const RECONNECT_MS = 2_000;

interface Outcome {
  readonly verdict: Exclude<RegisterVerdict, { readonly kind: 'too_brief' }>;
  /** Null where nobody answered. */
  readonly status: number | null;
  /** Who did. */
  readonly by?: { readonly target: ResolvedTarget; readonly flow: Flow };
}

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #digest: DigestClient;
  readonly #callId = randomBytes(16).toString('hex');
  readonly #line = randomBytes(16).toString('hex');
  readonly #timers: TimerSet<'next' | 'expiry'>;
  #cseq = 0;
  #askedSeconds = ASKED_SECONDS;
  #failures = 0;
  #refusals = 0;
  #current: TrunkRegistration;
  /** Where the carrier may know us. */
  #boundAt: ResolvedTarget | null = null;
  #addresses: ReadonlySet<string> = new Set();
  #stopWatching: () => void = () => undefined;
  #working: Promise<void> | null = null;
  #stopped = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#current = resumed(options.before);
    this.#digest = new DigestClient(options.trunk);
    this.#timers = new TimerSet(options.clock);
  }

  get current(): TrunkRegistration {
    return this.#current;
  }

  start(delayMs: number): void {
    this.#timers.arm('next', delayMs, () => this.#turn());
  }

  /** The carrier was away: it may have forgotten us, or be there for us again. */
  refresh(): void {
    if (!this.#stopped && this.#current.state !== 'refused') this.start(0);
  }

  /** Resolves when nothing of it is under way any more. */
  async stop({ unregister }: { readonly unregister: boolean }): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timers.clearAll();
    this.#stopWatching();
    this.#options.lines.delete(this.#line);
    await this.#working;
    const target = this.#boundAt;
    this.#boundAt = null;
    if (unregister && target !== null) await this.#exchange(target, 0, UNREGISTER_MS);
  }

  #turn(): void {
    if (this.#stopped || this.#working !== null) return;
    if (!this.#options.mayAct()) {
      this.start(ASK_AGAIN_MS);
      return;
    }
    this.#working = this.#register().finally(() => {
      this.#working = null;
    });
  }

  async #register(): Promise<void> {
    const outcome = await this.#ask();
    if (outcome.verdict.kind === 'registered') this.#boundAt = outcome.by?.target ?? null;
    if (this.#stopped) return;
    this.#settle(outcome);
    this.#options.onChange();
  }

  /** At each address of the carrier in turn, until one has answered. */
  async #ask(): Promise<Outcome> {
    const { outOfDialog, trunk } = this.#options;
    let targets: readonly ResolvedTarget[];
    try {
      targets = (await outOfDialog.resolve(trunk)).slice(0, MAX_TARGETS);
    } catch (error) {
      return unanswered(whyUnreachable(error));
    }
    this.#addresses = new Set(targets.map(({ address }) => address));
    let first: Outcome | undefined;
    for (const [at, target] of targets.entries()) {
      const outcome = await this.#exchange(target, null, at + 1 < targets.length ? TRY_MS : TIMER_F_MS);
      first ??= outcome;
      const { verdict } = outcome;
      if (verdict.kind !== 'failed' || !verdict.elsewhere) return outcome;
      if (this.#stopped) break;
    }
    return first ?? unanswered('the host has no address');
  }

  /** @param seconds null: as long as we want, or the registrar does */
  async #exchange(target: ResolvedTarget, seconds: 0 | null, timeoutMs: number): Promise<Outcome> {
    const { outOfDialog } = this.#options;
    for (let raises = 0; ;) {
      const asked = seconds ?? this.#askedSeconds;
      const way = { outOfDialog, target, digest: this.#digest };
      const result = await sendAuthenticated(way, () => this.#request(asked, timeoutMs));
      if (result.kind === 'silent') return unanswered('no answer to REGISTER');
      if (result.kind === 'unreachable') return unanswered(whyUnreachable(result.error));
      const { response, flow } = result;
      const { status } = response;
      const verdict = judgeRegister(response, { seconds: asked, line: this.#line });
      if (verdict.kind !== 'too_brief') return { verdict, status, by: { target, flow } };
      if (seconds !== null || ++raises > MAX_RAISES) {
        return { verdict: { kind: 'failed', reason: NEVER_LONG_ENOUGH, ...HERE }, status, by: { target, flow } };
      }
      this.#askedSeconds = verdict.minimumSeconds;
    }
  }

  #request(seconds: number, timeoutMs: number): UnsignedRequest {
    const { trunk } = this.#options;
    const user = encodeUserPart(trunk.username);
    return trunkRegister(trunk, {
      callId: this.#callId,
      cseq: ++this.#cseq,
      headers: (ownAddress, transport) => [
        `Contact: ${ownAddress.contact(user, transport, `;line=${this.#line}`)};expires=${seconds}`,
        `Expires: ${seconds}`,
        // Proxies before the registrar may want to be on the way of its calls (RFC 3327 §5.1).
        'Supported: path',
      ],
      timeoutMs,
    });
  }

  #settle({ verdict, status, by }: Outcome): void {
    const { clock, random } = this.#options;
    if (verdict.kind === 'registered') {
      this.#failures = 0;
      this.#refusals = 0;
      const expiresAtMs = clock.epochMs() + verdict.seconds * 1000;
      this.#current = { state: 'registered', expiresAtMs, lastStatus: status, lastError: null };
      this.#admit(by?.target ?? null);
      this.#watch(by?.flow);
      this.#timers.arm('expiry', verdict.seconds * 1000, () => this.#expire());
      this.start(refreshPauseMs(verdict.seconds, random));
      return;
    }
    const { expiresAtMs } = this.#current;
    const state = verdict.kind;
    this.#current = { state, expiresAtMs, lastStatus: status, lastError: verdict.reason };
    if (verdict.kind === 'refused') this.start(refusedPauseMs(++this.#refusals, random));
    else if (verdict.retryAfterSeconds !== null) this.start(retryAfterMs(verdict.retryAfterSeconds));
    else this.start(retryPauseMs(++this.#failures, random));
  }

  /** Calls of the carrier's are taken from now on. */
  #admit(target: ResolvedTarget | null): void {
    const { lines, trunk } = this.#options;
    const addresses = new Set(this.#addresses);
    if (target !== null) addresses.add(target.address);
    const { id: trunkId, orgId, username } = trunk;
    lines.set({ line: this.#line, identity: { trunkId, orgId, username, registeredUser: username }, addresses });
  }

  /** Over a connection the carrier's calls come by that connection alone: without it we are registered in vain. */
  #watch(flow: Flow | undefined): void {
    this.#stopWatching();
    this.#stopWatching = (): void => undefined;
    if (flow?.reliable !== true) return;
    this.#stopWatching = flow.onFailure(() => {
      if (!this.#stopped) this.start(RECONNECT_MS * (0.5 + this.#options.random()));
    });
  }

  #expire(): void {
    this.#options.lines.delete(this.#line);
    this.#boundAt = null;
    this.#current = { ...this.#current, expiresAtMs: null };
    this.#options.onChange();
  }
}

const NEVER_LONG_ENOUGH = 'the carrier asks for a longer registration each time';
const HERE = { retryAfterSeconds: null, elsewhere: false } as const;

/** A failure stands until we know better; whether the carrier knows this Contact of ours we cannot know. */
function resumed(before: TrunkRegistration | null): TrunkRegistration {
  if (before?.state === 'failed' || before?.state === 'refused') return { ...before, expiresAtMs: null };
  return { state: 'registering', expiresAtMs: null, lastStatus: null, lastError: null };
}

function unanswered(reason: string): Outcome {
  return { verdict: { kind: 'failed', reason, retryAfterSeconds: null, elsewhere: true }, status: null };
}
