/**
 * One OPTIONS outside a dialog (RFC 3261 §11), to one address and no other: whether the peer is there, whether it takes
 * our credentials, and what it says of its media.
 *
 *   connecting ──flow──► asking ──401, 407──► asking, with credentials ──final answer, timer F, ICMP──► done
 *        └──no flow─────────────────────────────────────────────────────────────────────────────────────↗
 */
import { randomBytes } from 'node:crypto';

import { TimerSet } from '../../clock';
import { DigestClient } from '../auth/digest-client';
import { sdpOf } from '../message/body';
import { makeBranch } from '../message/branch';
import { decodeWireText } from '../message/message';
import { ALLOW } from '../message/methods';
import { serialiseRequest } from '../message/serialiser';
import { encodeUserPart, uriHost } from '../message/uri';
import { Retransmission } from '../retransmission';

import type { DialogContext } from '../dialog-context';
import type { RoutedDialog } from '../dialog-table';
import type { ResolvedTarget } from '../edge/resolver';
import type { Flow } from '../edge/flow';
import type { SipRequest, SipResponse } from '../message/message';
import type { OwnAddress } from '../own-address';
import type { Pace } from '../retransmission';

export interface ProbeRequest {
  readonly target: ResolvedTarget;
  /** In the Request-URI, To and From: the name that the peer is known by. */
  readonly host: string;
  readonly port: number | null;
  /** User part of From; may be empty. */
  readonly fromUser: string;
  /** Answers a challenge of the target's own address; null: nobody's does. */
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** For a TCP connection. */
  readonly connectMs: number;
  /** For the final answer, over all repetitions of the request: our timer F. */
  readonly answerMs: number;
}

export interface ProbeAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly reason: string;
  /** Status of the first answer when that was a challenge. */
  readonly challenge: 401 | 407 | null;
  /** The answer is one to our credentials. */
  readonly authenticated: boolean;
  /** Value of Server; empty without. */
  readonly server: string;
  readonly sdp: string | null;
}

type Ending =
  | ProbeAnswer
  /** No connection, or the network says that nobody is there. */
  | { readonly kind: 'unreachable'; readonly error: unknown }
  /** Nothing came back. `challenge`: to the repetition with credentials. */
  | { readonly kind: 'silent'; readonly challenge: 401 | 407 | null };

export type ProbeOutcome = Ending & {
  /** Of the TCP connection; of UDP nothing tells whether there is one. */
  readonly connectedMs: number | null;
  /** From the request to its first answer. */
  readonly answeredMs: number | null;
};

export type ProbeContext = Pick<DialogContext, 'edge' | 'ownAddresses' | 'clock' | 'counters' | 'product' | 'onIdle'>;

export class OptionsProbe implements RoutedDialog {
  readonly sipCallId = randomBytes(12).toString('hex');
  readonly localTag: string;
  readonly #context: ProbeContext;
  readonly #request: ProbeRequest;
  readonly #digest: DigestClient | null;
  readonly #mayRepeat: (challenge: SipResponse) => boolean;
  readonly #timers: TimerSet<'F'>;
  readonly #settled: Promise<Ending>;
  #settle: (ending: Ending) => void = () => undefined;
  #retransmission: Retransmission | undefined;
  #flow: Flow | undefined;
  #ownAddress: OwnAddress | undefined;
  #branch = '';
  #cseq = 0;
  #pace: Pace = 'backoff';
  #challenge: 401 | 407 | null = null;
  #authenticated = false;
  #sentAtMs = 0;
  #connectedMs: number | null = null;
  #answeredMs: number | null = null;

  constructor(context: ProbeContext, request: ProbeRequest, localTag: string) {
    this.localTag = localTag;
    this.#context = context;
    this.#request = request;
    this.#timers = new TimerSet(context.clock);
    this.#digest = request.credentials === null ? null : new DigestClient(request.credentials);
    this.#mayRepeat = this.#digest?.newRequest() ?? ((): boolean => false);
    this.#settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /** Never rejects. */
  async run(): Promise<ProbeOutcome> {
    const stopWatching = await this.#open();
    const ending = await this.#settled;
    stopWatching();
    this.#stop();
    this.#context.onIdle(this);
    return { ...ending, connectedMs: this.#connectedMs, answeredMs: this.#answeredMs };
  }

  /** Nobody has a dialog with us by this tag: whoever asks for one finds it gone in a moment. */
  receiveRequest(_request: SipRequest): void {}

  receiveResponse(response: SipResponse, flow: Flow): void {
    const { status } = response;
    if (response.branch !== this.#branch || response.cseq?.method !== 'OPTIONS') return;
    this.#answeredMs ??= this.#context.clock.now() - this.#sentAtMs;
    if (status < 200) {
      this.#pace = 'slow';
      return;
    }
    const own = flow.peer.address === this.#request.target.address;
    if ((status === 401 || status === 407) && own && this.#mayRepeat(response)) {
      this.#challenge ??= status;
      this.#authenticated = true;
      this.#send();
      return;
    }
    if (status === 401 || status === 407) this.#challenge ??= status;
    this.#settle({
      kind: 'answered',
      status,
      reason: decodeWireText(response.reason),
      challenge: this.#challenge,
      authenticated: this.#authenticated,
      server: response.first('server') ?? '',
      sdp: sdpOf(response),
    });
  }

  dispose(): void {
    this.#settle({ kind: 'unreachable', error: new Error('SIP endpoint is closed') });
  }

  /** Gives the way to stop listening for what the network says. */
  async #open(): Promise<() => void> {
    const { edge, ownAddresses, clock } = this.#context;
    const { target, connectMs, answerMs } = this.#request;
    const { address, port, transport } = target;
    let stop = (): void => undefined;
    try {
      this.#ownAddress = await ownAddresses.towards(address);
      const startedMs = clock.now();
      if (transport === 'tcp') {
        this.#flow = await edge.tcpFlow(address, port, connectMs);
        this.#connectedMs = clock.now() - startedMs;
      } else this.#flow = await edge.watchedUdpFlow(address, port);
      stop = this.#flow.onFailure((error) => this.#settle({ kind: 'unreachable', error }));
      this.#timers.arm('F', answerMs, () => this.#settle({ kind: 'silent', challenge: this.#challenge }));
      this.#sentAtMs = clock.now();
      this.#send();
    } catch (error) {
      this.#settle({ kind: 'unreachable', error });
    }
    return stop;
  }

  #send(): void {
    const { clock, counters } = this.#context;
    const flow = this.#flow!;
    this.#retransmission?.stop();
    this.#pace = 'backoff';
    const bytes = this.#serialise(flow);
    counters.message('out', 'OPTIONS', null);
    flow.send(bytes);
    if (flow.reliable) return;
    this.#retransmission = new Retransmission({
      clock,
      pace: () => this.#pace,
      send: () => {
        counters.retransmitted('OPTIONS');
        flow.send(bytes);
      },
      onStop: () => undefined,
    });
  }

  #serialise(flow: Flow): Buffer {
    const { host, port, fromUser, target } = this.#request;
    const { product } = this.#context;
    const own = this.#ownAddress!;
    const at = port === null ? uriHost(host) : `${uriHost(host)}:${port}`;
    const requestUri = `sip:${at}${target.transport === 'tcp' ? ';transport=tcp' : ''}`;
    const user = encodeUserPart(fromUser);
    this.#cseq += 1;
    this.#branch = makeBranch(this.localTag);
    const contact = own.contact(user, flow.transport);
    const parts = {
      method: 'OPTIONS',
      requestUri,
      routes: [],
      hop: requestUri,
      sentBy: own.sentBy,
      branch: this.#branch,
      to: `<${requestUri}>`,
      from: `<sip:${user === '' ? '' : `${user}@`}${uriHost(host)}>;tag=${this.localTag}`,
      callId: this.sipCallId,
      cseq: this.#cseq,
      headers: [`Contact: ${contact}`, `Allow: ${ALLOW}`, 'Accept: application/sdp'],
      credentials: this.#digest?.authorize({ method: 'OPTIONS', requestUri, body: '' }) ?? [],
      product,
    };
    return serialiseRequest(parts, flow.transport, true);
  }

  #stop(): void {
    this.#timers.clearAll();
    this.#retransmission?.stop();
    // A flow may have been given up; what comes later belongs to nobody.
    this.#branch = '';
  }
}
