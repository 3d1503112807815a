/**
 * The caller and whoever has accepted a consult, who are joined in our media by then, are left to the phone system that both
 * are at: its peer on the caller's leg is referred to the far one in our place (RFC 5589 §7). Where it does not come to that
 * they talk on through us, as if nothing had been asked.
 *
 *   none ──begin()──► asked ──NOTIFY 2xx──► done: the BYE of either peer, or ours, is the end of the call
 *                      │ ▲
 *                      │ └── either peer hangs up: the other stays until it is told why, for two seconds
 *                      └──► none: refused, failed, not told in time
 */
import type { LegDial } from '../../../contract/transfers';
import { canonicalAddress } from '../../../ops/address-scope';
import { TimerSet, type Clock } from '../../clock';
import { parseUri } from '../../sip/message/uri';
import type { ReferOutcome, ReferRequest } from '../../sip/refer/sent-refer';
import type { Leg } from '../leg/leg';
import { identityHeaders } from './leg-invite';
import { BYE_AFTER_MS } from './referral';

interface AttendedOptions {
  /** Of the call's own peer. */
  readonly leg: Leg;
  readonly clock: Clock;
  /** The two talk to each other without us. */
  readonly onDone: () => void;
  /** And the call's peer has not hung up on us. */
  readonly onStaying: () => void;
}

export class AttendedHandover {
  readonly #options: AttendedOptions;
  readonly #timers: TimerSet<'bye' | 'word'>;
  #state: 'none' | 'asked' | 'done' = 'none';
  #settled: Promise<void> | null = null;
  /** What the end of the far leg is to the call, where it was no consequence of ours. */
  #farEnd: (() => void) | null = null;
  /** The near peer has hung up, and the far one is waited for. */
  #farAwaited: (() => void) | null = null;

  constructor(options: AttendedOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  /** The peer has been asked, and nothing says yet that it will not. */
  get underWay(): boolean {
    return this.#state !== 'none';
  }

  /** The two are gone, but for their BYE. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** Resolves when no more is to be learnt of it from a peer that has hung up; null where nothing is asked. */
  get settled(): Promise<void> | null {
    return this.#settled;
  }

  /** Nothing where the peers do not offer it. */
  begin(far: Leg, dial: LegDial): void {
    const { dialog } = this.#options.leg;
    const request = attendedRequest(this.#options.leg, far, dial);
    if (dialog === null || request === null) return;
    this.#state = 'asked';
    this.#settled = dialog
      .refer(request, () => undefined)
      .catch(() => null) // a remote target that nobody can be referred to
      .then((outcome) => this.#came(outcome))
      .finally(() => (this.#settled = null));
  }

  /**
   * The far peer has said BYE: it was replaced, of which the NOTIFY may come a moment later, or has hung up. `end` comes
   * where it is not known to have been replaced.
   */
  farLeft(end: () => void): void {
    if (this.#state === 'none') return end();
    if (this.#state === 'done') return;
    if (this.#farAwaited !== null) return this.#farAwaited();
    this.#farEnd = end;
    this.#timers.arm('word', BYE_AFTER_MS, () => this.#failed());
  }

  /** The call is over. Idempotent. */
  close(): void {
    this.#timers.clearAll();
    this.#state = 'none';
    this.#farEnd = null;
    this.#farAwaited?.();
  }

  #came(outcome: ReferOutcome | null): Promise<void> | void {
    if (this.#state !== 'asked') return;
    if (outcome?.kind === 'accepted' && outcome.final !== null && outcome.final.status < 300) return this.#done();
    // Its INVITE may be on the way to the far peer, which must know the dialog until then (RFC 3891 §3: else 481).
    if (outcome?.kind === 'bye' && this.#farEnd === null) return this.#untilFarLeaves();
    this.#failed();
  }

  #done(): void {
    this.#state = 'done';
    this.#farEnd = null;
    this.#timers.clearAll();
    this.#options.onDone();
    this.#timers.arm('bye', BYE_AFTER_MS, this.#options.onStaying);
  }

  #failed(): void {
    this.#timers.clearAll();
    this.#state = 'none';
    const end = this.#farEnd;
    this.#farEnd = null;
    end?.();
  }

  #untilFarLeaves(): Promise<void> {
    return new Promise((resolve) => {
      this.#farAwaited = () => {
        this.#farAwaited = null;
        this.#timers.clearAll();
        resolve();
      };
      this.#timers.arm('word', BYE_AFTER_MS, this.#farAwaited);
    });
  }
}

/**
 * Null where it is not to be asked: both sides have to say that they can (RFC 3515, RFC 3891 §4), to be at one host, and
 * neither on hold, whose peer nobody listens at. Of two hosts each would be told an address of the other's, which may be
 * none that it reaches, or of a carrier that its rival is not to know.
 */
function attendedRequest(near: Leg, far: Leg, dial: LegDial): ReferRequest | null {
  const replaces = far.dialog?.replacesAtPeer ?? null;
  if (near.dialog === null || far.dialog === null || replaces === null) return null;
  const offered =
    near.dialog.peerAllows('REFER') && near.dialog.peerSupports('replaces') && far.dialog.peerSupports('replaces');
  const held = [near.hold, far.hold].some(({ ours, theirs }) => ours || theirs);
  const host = hostOf(near.dialog.remoteTarget);
  if (!offered || held || host === '' || host !== hostOf(far.dialog.remoteTarget)) return null;
  return {
    referTo: far.dialog.remoteTarget,
    replaces,
    referredBy: near.dialog.localUri === '' ? null : near.dialog.localUri,
    headers: identityHeaders(dial),
  };
}

function hostOf(uri: string): string {
  return canonicalAddress((parseUri(uri)?.host ?? '').replaceAll(/[[\]]/g, ''));
}
