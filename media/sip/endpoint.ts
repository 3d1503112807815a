import type { Overload } from '../../contract/directory';
import type { BindingStore } from '../../contract/registration';
import type { DigestCredentials, SipIdentity } from './auth/identity';
import type { DialogDelegate, InboundDialog, OutboundDialog } from './dialog';
import type { NamedTarget, TargetLookup } from './edge/target-lookup';
import type { OutboundInvite } from './invite';
import type { OutOfDialog } from './out-of-dialog';
import type { RegisteredLines } from './registration/registered-lines';

export interface SipEndpointDelegate {
  /** A new call. The delegate must end it with `answer` or `reject`. */
  onInvite(dialog: InboundDialog): void;
  /**
   * A new call that is to take the place of one that we have (`dialog.invite.replaces`, RFC 3891): answered, it hangs that
   * up, or cancels it where it still rings. Without this Replaces is an extension that we do not know: the INVITE is a
   * call like any other, or gets 420 when it requires it.
   */
  onReplace?(dialog: InboundDialog): void;
  /** Digest credentials by user name, from memory. */
  credentials(username: string): DigestCredentials | undefined;
  /** Who is known by the address that its requests come from, from memory. Without this nobody is. */
  knownAt?(address: string): SipIdentity | undefined;
  /** 200 or 503 + Retry-After for OPTIONS and for INVITE before a transaction exists. */
  availability(): { readonly available: boolean; readonly retryAfterSeconds: number };
  /** Of the INVITEs that open calls, how many are refused, before anything of them is kept. Without this none. */
  overload?(): Overload | null;
  /** An INVITE with the user name of this trunk was refused: with a wrong password, or signed for another URI. */
  onDenied?(trunkId: string, source: string, why: 'wrong_password' | 'other_uri'): void;
  /** Who has registered; without it REGISTER gets 405. */
  readonly bindings?: BindingStore;
}

/** The SIP side of a node, as calls see it. */
export interface SipEndpoint {
  start(): Promise<void>;
  /** Refuse new INVITEs with 503 + Retry-After; dialogs go on. */
  drain(): void;
  /**
   * Resolves target, opens the dialog, hands the INVITE to the socket; rejects with InviteNotSentError when it cannot
   * (nothing was sent then).
   */
  invite(options: OutboundInvite, delegate: DialogDelegate): Promise<OutboundDialog>;
  /** Where a call to this peer would go; never rejects. */
  lookUp(target: NamedTarget): Promise<TargetLookup>;
  /** Requests of ours that are no calls. */
  readonly outOfDialog: OutOfDialog;
  /** Who may call without credentials because we have registered with them. */
  readonly lines: RegisteredLines;
  close(): Promise<void>;
  /** Calls with any SIP state left, those included whose transactions only wait for their last timers (32 s). */
  readonly dialogCount: number;
}
