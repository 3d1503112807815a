/** How a test phone behaves, and what its two halves (calling, being called) share. */
import type { PhoneMedia, PhoneStream } from './media';
import type { PhoneCall } from './phone-call';
import type { SipLink, Target } from './sip-link';
import type { Credentials, SipText } from './sip-text';
import type { Transactions } from './transactions';

export type Codec = 'PCMU' | 'PCMA';
export type Header = readonly [name: string, value: string];

export interface PhoneOptions {
  readonly media: PhoneMedia;
  /** Default udp. */
  readonly transport?: 'udp' | 'tcp';
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Of the SIP socket; default any free one. */
  readonly port?: number;
  /** Where calls go, e.g. the product or a relay before it. */
  readonly server?: Target;
  /** Answers the server's challenge. */
  readonly credentials?: Credentials;
  /** User part of From. */
  readonly user?: string;
  readonly codecs?: readonly Codec[];
  /** What our SDP calls telephone-event; default 101. */
  readonly eventPayloadType?: number;
  /** Its Allow has REFER; default false. */
  readonly takesRefer?: boolean;
  /** Its Supported; default: none. With `replaces` an INVITE with Replaces takes the place of a call (RFC 3891). */
  readonly supports?: readonly string[];
  /** How incoming calls are treated; default 486. */
  readonly answer?: (invite: IncomingInvite) => Answering;
  /** An INVITE was cancelled while we rang. */
  readonly onCancel?: (sipCallId: string) => void;
  /** Audio is sent from there, while SDP names `address`. */
  readonly mediaAddress?: string;
  /** False: not a packet, whatever the SDP says. */
  readonly sendsAudio?: boolean;
  /** Makes another SDP of each that would be sent. */
  readonly sdpText?: (sdp: string) => string;
  /** How OPTIONS outside a dialog is answered; null: not at all. Default 200. */
  readonly options?: (request: SipText) => OptionsAnswer | null;
  /** Of credentials with another user name than `challenge` has; default: a challenge again. */
  readonly unknownUserStatus?: number;
  /** Challenge every incoming INVITE with 407 and take only these. */
  readonly challenge?: Credentials;
}

export interface OptionsAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly Header[];
  readonly body?: string;
}

export interface IncomingInvite {
  readonly sipCallId: string;
  /** User part of the Request-URI. */
  readonly user: string;
  readonly fromUser: string;
  readonly message: SipText;
  /** It carried the credentials we challenge for. */
  readonly authenticated: boolean;
}

export type Answering =
  | {
      readonly status: number;
      readonly reason?: string;
      /** 180 first, this long. */
      readonly ringMs?: number;
      /** 180 first, until then. */
      readonly ringUntil?: Promise<void>;
      readonly headers?: readonly Header[];
    }
  /** 180, until cancelled. */
  | { readonly ring: 'forever' }
  /** Not a word. */
  | { readonly silent: true };

export interface DialOptions {
  /** Default: the phone's. */
  readonly server?: Target;
  /** Added to the INVITE. */
  readonly headers?: readonly Header[];
  /** For a final answer; default 32 s. */
  readonly timeoutMs?: number;
}

export interface PhoneContext {
  readonly options: PhoneOptions;
  readonly address: string;
  readonly port: number;
  readonly link: SipLink;
  readonly transactions: Transactions;
  readonly calls: ReadonlyMap<string, PhoneCall>;
  /** Header lines that say what the phone can. */
  capabilities(): readonly Header[];
  via(branch: string): string;
  contact(): string;
  openStream(): Promise<PhoneStream>;
  sdp(stream: PhoneStream, direction?: string, version?: number): string;
  /** A call is up: it can be found by its dialog from now on. */
  adopt(call: PhoneCall): void;
}
