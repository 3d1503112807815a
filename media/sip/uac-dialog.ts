import { TimerSet } from '../clock';
import { DigestClient } from './auth/digest-client';
import { DialogLifecycle } from './dialog-lifecycle';
import { whyUnreachable } from './edge/resolver';
import { targetName } from './edge/target-flow';
import { InviteNotSentError, NotRegisteredError } from './invite';
import { InviteTargets, nameOfWay } from './invite-targets';
import { sdpOf } from './message/body';
import { decodeWireText, encodeWireText } from './message/message';
import { oneLine } from './message/serialiser';
import { encodeUserPart, uriHost } from './message/uri';
import { q850Cause, reasonValue } from './reason';
import { askForSession, minSe } from './session-expires';
import { CANCEL_WAIT_MS } from './timers';

import type { RequestCredentials } from './auth/request-credentials';
import type { DialogDelegate, OutboundDialog, PeerLife, ReofferOutcome } from './dialog';
import type { DialogContext } from './dialog-context';
import type { RoutedDialog } from './dialog-table';
import type { Flow } from './edge/flow';
import type { FinalAnswer, InviteOutcome, OutboundInvite } from './invite';
import type { SipRequest, SipResponse } from './message/message';
import type { OwnAddress } from './own-address';
import type { SipPeer } from './peer';
import type { ReasonHeader } from './reason';
import type { ReplacesHeader } from './refer/replaces';
import type { ReferOutcome, ReferRequest } from './refer/sent-refer';
import type { ReplaceableDialog } from './replaced-dialog';
import type { SipCore } from './sip-core';

interface UacDialogOptions {
  readonly context: DialogContext;
  readonly invite: OutboundInvite;
  readonly delegate: DialogDelegate;
  readonly localTag: string;
}

type Asked = Pick<OutboundInvite, 'offer' | 'beforeFailover'>;

/** For any answer at all, where another host is left. */
const ANSWER_TRY_MS = 5_000;
/** Answers by which a host says that it cannot take the call, and another may. */
const NO_USE: readonly number[] = [500, 502, 503];
/** Weight of an offer, which is made after the way of the INVITE is known. */
const OFFER_BYTES = 350;
const FIRST_CSEQ = 1;
/** Each 422 must ask for more than the one before, and yet not without end. */
const MAX_INTERVAL_RAISES = 3;
const TRYING = 100;
/** What a challenger adds to the INVITE, about. */
const CREDENTIALS_BYTES = 300;
/** Of an INVITE that has none: nothing is ever signed with them. */
const NO_CREDENTIALS = { username: '', password: '' };
/** Branches of a fork whose early SDP is kept. */
const MAX_EARLY_BRANCHES = 32;

/**
 * The dialog of a call that goes out, from its INVITE on. One Call-ID; one more INVITE per challenge, per address of a
 * host and per host (or per contact, of who is registered): the next address where one cannot be reached, the next host where none of one can, where it answers
 * 500, 502 or 503, or says nothing at all. After a ringing tone nobody else is called.
 */
export class UacDialog implements OutboundDialog, RoutedDialog {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly #context: DialogContext;
  readonly #invite: Omit<OutboundInvite, keyof Asked>;
  /** Whom it asks while the call is set up; null afterwards: the dialog outlives its call by 32 s, and must not keep it. */
  #asked: Asked | null;
  readonly #session: DialogLifecycle;
  readonly #digest: DigestClient;
  readonly #credentials: RequestCredentials;
  #mayRepeat: (challenge: SipResponse) => boolean;
  /** By To tag: each branch of a fork has its own media. */
  readonly #earlySdp = new Map<string, string>();
  #core: SipCore | undefined;
  #flow: Flow | undefined;
  readonly #targets: InviteTargets;
  /** Of the first address that was of no use: it was the best one. */
  #failure: unknown;
  /** Of a host before: it counts when no other answers. */
  #refusal: FinalAnswer | null = null;
  #sdp: string | undefined;
  #cseq = FIRST_CSEQ;
  /** What our INVITE asks for; a 422 raises both. */
  #intervalSeconds: number;
  #minimumSeconds: number;
  #intervalRaises = 0;
  /** The highest, and whether anything at all was heard, of the host that is tried. */
  #provisional: number | null = null;
  #challenged = false;
  #responsePeer = '';
  #cancelled = false;
  #stopWatching: (() => void) | undefined;
  readonly #timers: TimerSet<'B' | 'cancel'>;

  constructor({ context, invite, delegate, localTag }: UacDialogOptions) {
    this.sipCallId = invite.sipCallId;
    this.localTag = localTag;
    this.#context = context;
    const { offer, beforeFailover, ...plain } = invite;
    this.#invite = plain;
    this.#asked = beforeFailover === undefined ? { offer } : { offer, beforeFailover };
    this.#targets = new InviteTargets(context, plain);
    this.#intervalSeconds = context.sessionTimers.intervalSeconds;
    this.#minimumSeconds = context.sessionTimers.minimumSeconds;
    this.#session = new DialogLifecycle({
      context,
      sipCallId: invite.sipCallId,
      localTag,
      ownsCallId: true,
      onIdle: () => context.onIdle(this),
    });
    this.#session.delegate = delegate;
    this.#timers = new TimerSet(context.clock);
    this.#digest = new DigestClient(invite.credentials ?? NO_CREDENTIALS);
    this.#credentials = this.#trunkOnly(this.#digest, invite.credentials !== null);
    this.#mayRepeat = this.#credentials.newRequest();
  }

  get delegate(): DialogDelegate {
    return this.#session.delegate;
  }

  set delegate(delegate: DialogDelegate) {
    this.#session.delegate = delegate;
  }

  /** @throws InviteNotSentError when no address of the target can be reached; whatever `offer` throws */
  async start(): Promise<void> {
    if (this.#invite.contacts?.length === 0) {
      const nobody = new NotRegisteredError();
      this.#tellUnreachable(this.#targets.recordUri, nobody);
      throw nobody;
    }
    if (!(await this.#sendToNextHost())) throw new InviteNotSentError(whyUnreachable(this.#failure), this.#failure);
  }

  cancel(reason?: ReasonHeader): void {
    if (this.#session.state === 'established') {
      this.bye(reason);
      return;
    }
    if (this.#session.state !== 'setup' || this.#cancelled) return;
    this.#cancelled = true;
    this.#opened.cancel(reason === undefined ? undefined : reasonValue(reason));
    // RFC 3261 §9.1: a cancelled INVITE without a final answer is given up; before a provisional, timer B does that.
    this.#timers.arm('cancel', CANCEL_WAIT_MS, () => {
      if (this.#session.state === 'setup' && !this.#opened.calling)
        this.#fail({ kind: 'timeout', provisional: this.#heard });
    });
  }

  bye(reason?: ReasonHeader): void {
    if (this.#session.state === 'setup') this.cancel(reason);
    else this.#session.bye(reason);
  }

  probe(): Promise<PeerLife> {
    return this.#session.probe();
  }

  reoffer(sdp: string | (() => string)): Promise<ReofferOutcome> {
    return this.#session.reoffer(sdp);
  }

  info(contentType: string, body: string): Promise<boolean> {
    return this.#session.info(contentType, body);
  }

  refer(request: ReferRequest, onProgress: (status: number) => void): Promise<ReferOutcome> {
    return this.#session.refers.refer(request, onProgress);
  }

  get remoteTarget(): string {
    return this.#opened.remoteTarget;
  }

  get localUri(): string {
    return this.#opened.localUri;
  }

  peerAllows(method: string): boolean {
    return this.#session.peerCapabilities.allows(method);
  }

  peerSupports(option: string): boolean {
    return this.#session.peerCapabilities.supports(option);
  }

  get replacesAtPeer(): ReplacesHeader | null {
    const toTag = this.#core?.remoteTag ?? null;
    if (toTag === null || this.#session.state !== 'established') return null;
    return { sipCallId: this.sipCallId, toTag, fromTag: this.localTag, earlyOnly: false };
  }

  asReplaced(remoteTag: string): ReplaceableDialog | null {
    if (this.#core?.hasDialogWith(remoteTag) !== true) return null;
    const { state } = this.#session;
    const { orgId = null } = this.#invite;
    return {
      dialog: this,
      orgId,
      state: state === 'setup' ? 'called' : state === 'established' ? 'confirmed' : 'over',
    };
  }

  dispose(): void {
    this.#stopTimers();
    this.#session.dispose();
  }

  receiveRequest(request: SipRequest, key: string, flow: Flow): void {
    this.#session.receiveRequest(request, key, flow);
  }

  receiveResponse(response: SipResponse, flow: Flow): void {
    this.#responsePeer = flow.peer.address;
    if (response.status < 200 && response.cseq?.method === 'INVITE' && this.#core?.answersInvite(response) === true) {
      this.#provisional = Math.max(this.#provisional ?? 0, response.status);
    }
    this.#session.receiveResponse(response, flow);
    if (this.#provisional !== null) this.#stopWatch();
  }

  get peer(): SipPeer {
    return this.#inviteFlow.peer;
  }

  get #inviteFlow(): Flow {
    if (this.#flow === undefined) throw new Error('INVITE was not sent yet');
    return this.#flow;
  }

  get #opened(): SipCore {
    if (this.#core === undefined) throw new Error('INVITE was not sent yet');
    return this.#core;
  }

  /** Our credentials answer only the trunk itself, whoever else may challenge us in its name. */
  #trunkOnly(digest: DigestClient, hasCredentials: boolean): RequestCredentials {
    return {
      authorize: (request) => digest.authorize(request),
      newRequest: () => {
        const mayRepeat = digest.newRequest();
        return (challenge) => hasCredentials && this.#targets.includes(this.#responsePeer) && mayRepeat(challenge);
      },
      mayGoTo: (address) => this.#targets.includes(address),
    };
  }

  /** The highest provisional; a challenge too says that somebody is there, as little as 100 does. */
  get #heard(): number | null {
    return this.#provisional ?? (this.#challenged ? TRYING : null);
  }

  /** Nobody's phone rings as far as we know, and another host could take the call. */
  get #mayTryNextHost(): boolean {
    return this.#targets.hostLeft && !this.#rings && !this.#cancelled;
  }

  get #rings(): boolean {
    return this.#provisional !== null && this.#provisional > TRYING;
  }

  /** False when none is left that can be reached. */
  async #sendToNextHost(): Promise<boolean> {
    while (await this.#targets.nextHost((target, error) => this.#tellUnreachable(target, error))) {
      this.#assertOpen();
      this.#beginWithHost();
      if (await this.#sendToNextWay()) return true;
    }
    return false;
  }

  /** For each it is a request of its own: with the next CSeq, so that no common server takes it for one it knows. */
  #beginWithHost(): void {
    if (this.#core !== undefined) this.#cseq += 1;
    this.#provisional = null;
    this.#challenged = false;
    this.#mayRepeat = this.#credentials.newRequest();
  }

  /** RFC 3263 §4.3: the next address is tried when one cannot be reached at all. False when none is left. */
  async #sendToNextWay(): Promise<boolean> {
    for (let way = this.#targets.nextWay(); way !== undefined; way = this.#targets.nextWay()) {
      let ownAddress: OwnAddress;
      let flow: Flow;
      try {
        flow = await this.#targets.flowBy(way, this.#estimatedBytes);
        ownAddress = await this.#context.ownAddresses.towards(flow.peer.address);
      } catch (error) {
        this.#tellUnreachable(nameOfWay(way), error);
        continue;
      }
      const { offer } = this.#assertOpen();
      // Asked last: by its refusal nothing leaves any more.
      this.#sdp ??= offer(ownAddress.host);
      this.#flow = flow;
      this.#core ??= this.#open(ownAddress, flow);
      this.#sendInvite(this.#sdp);
      return true;
    }
    return false;
  }

  #assertOpen(): Asked {
    const asked = this.#asked;
    if (asked === null || this.#session.state !== 'setup' || this.#cancelled)
      throw new InviteNotSentError('call was given up');
    return asked;
  }

  #open(ownAddress: OwnAddress, flow: Flow): SipCore {
    return this.#session.open({
      contact: ownAddress.contact(encodeUserPart(this.#invite.fromUser), flow.transport),
      sentBy: ownAddress.sentBy,
      displayName: escapeDisplayName(this.#invite.fromDisplayName ?? ''),
      inviteFlow: () => this.#inviteFlow,
      credentials: this.#credentials,
      events: {
        onProgress: (response) => this.#progressed(response),
        onAccept: (response) => this.#accepted(response),
        onReject: (response) => this.#rejected(response),
        onTimeout: () => this.#timedOut(),
        onTransportError: (error) => this.#unreachable(error),
      },
    });
  }

  #sendInvite(sdp: string): void {
    const fromHost = uriHost(this.#invite.fromHost ?? this.#invite.target.host);
    const user = encodeUserPart(this.#invite.fromUser);
    this.#stopWatch();
    this.#stopWatching = this.#flow?.onFailure((error) => this.#opened.failInvite(error));
    this.#opened.invite({
      requestUri: this.#targets.requestUri,
      routes: this.#targets.routes,
      fromUri: user === '' ? 'sip:anonymous@anonymous.invalid' : `sip:${user}@${fromHost}`,
      toUri: this.#targets.recordUri,
      callId: this.sipCallId,
      cseq: this.#cseq,
      headers: this.#headers(),
      sdp,
    });
    const { timerBMs } = this.#invite;
    if (this.#mayTryNextHost && !this.#challenged)
      this.#timers.arm('B', timerBMs ?? ANSWER_TRY_MS, () => this.#unheard());
    else if (timerBMs === undefined) this.#timers.clear('B');
    else this.#timers.arm('B', timerBMs, () => this.#opened.expireInvite());
  }

  #headers(): string[] {
    const headers = (this.#invite.headers ?? []).map(([name, value]) => oneLine(`${name}: ${encodeWireText(value)}`));
    headers.push(...askForSession(this.#intervalSeconds, this.#minimumSeconds));
    return headers;
  }

  /** What the INVITE will weigh: its variable parts plus the fixed ones, on the safe side. */
  get #estimatedBytes(): number {
    const fixed = 600 + 3 * this.#targets.requestUri.length + this.sipCallId.length;
    const credentials = this.#digest.challengers * CREDENTIALS_BYTES;
    return this.#headers().reduce((sum, line) => sum + line.length + 2, fixed + OFFER_BYTES + credentials);
  }

  #progressed(response: SipResponse): void {
    const sdp = sdpOf(response);
    const { toTag } = response;
    if (sdp !== null && (this.#earlySdp.has(toTag) || this.#earlySdp.size < MAX_EARLY_BRANCHES)) {
      this.#earlySdp.set(toTag, sdp);
    }
    if (response.status > TRYING) this.#tellAnswer({ status: response.status, retryAfterSeconds: null });
    this.#session.notify((delegate) => delegate.onProgress?.(response.status));
  }

  #accepted(response: SipResponse): void {
    this.#stopTimers();
    if (this.#session.state !== 'setup') return;
    this.#asked = null;
    this.#session.transition('established');
    this.#session.refresh.granted(response);
    const answer = outcomeOf(response, this.#provisional);
    this.#tellAnswer(answer);
    if (this.#cancelled) {
      // The 2xx crossed our CANCEL: it was acknowledged, now it is hung up (RFC 3261 §9.1).
      this.bye();
      this.#session.notify((delegate) => delegate.onReject?.(answer));
      return;
    }
    const sdp = sdpOf(response) ?? this.#earlySdp.get(response.toTag) ?? null;
    this.#session.notify((delegate) => delegate.onAccept?.(sdp, answer));
  }

  #rejected(response: SipResponse): void {
    if (this.#session.state !== 'setup') return;
    const { status } = response;
    const challenged = (status === 401 || status === 407) && !this.#cancelled;
    this.#challenged ||= challenged;
    if (challenged && this.#sdp !== undefined && this.#mayRepeat(response)) {
      this.#cseq += 1;
      this.#sendInvite(this.#sdp);
      return;
    }
    if (status === 422 && !this.#cancelled && this.#sdp !== undefined && this.#raiseInterval(response)) {
      this.#cseq += 1;
      this.#sendInvite(this.#sdp);
      return;
    }
    const outcome = outcomeOf(response, this.#provisional);
    this.#tellAnswer(outcome);
    if (NO_USE.includes(status) && this.#mayTryNextHost) {
      this.#refusal = outcome;
      this.#tryNextHost(`answered ${status}`);
    } else this.#fail(outcome);
  }

  /** Timer B, before its time because another host is left. */
  #unheard(): void {
    if (this.#session.state !== 'setup' || !this.#opened.calling) return;
    this.#opened.abandonInvite();
    this.#tryNextHost(`no answer within ${(this.#invite.timerBMs ?? ANSWER_TRY_MS) / 1000} s`);
  }

  #timedOut(): void {
    if (this.#heard === null && this.#mayTryNextHost) this.#tryNextHost('no answer');
    else this.#fail({ kind: 'timeout', provisional: this.#heard });
  }

  /** The host that is tried could not take the call. */
  #tryNextHost(why: string): void {
    this.#tellUnreachable(targetName(this.#inviteFlow.peer), new Error(why));
    this.#targets.leaveHost();
    this.#tryOn();
  }

  /** At the next address of the host, or the next host. */
  #tryOn(): void {
    this.#stopTimers();
    const { beforeFailover } = this.#asked ?? {};
    const next = async (): Promise<boolean> =>
      (beforeFailover === undefined || (await beforeFailover())) &&
      ((await this.#sendToNextWay()) || this.#sendToNextHost());
    next()
      .then((sent) => sent || this.#failUnreachable(this.#failure))
      .catch((error: unknown) => this.#failUnreachable(error));
  }

  #failUnreachable(error: unknown): void {
    if (this.#session.state !== 'setup') return;
    this.#fail(this.#refusal ?? { kind: 'unreachable', detail: whyUnreachable(error) });
  }

  /** RFC 4028 §7.3: once more, with what the 422 asks for; false when it asks for nothing more. */
  #raiseInterval(refusal: SipResponse): boolean {
    const minimum = minSe(refusal);
    if (minimum <= this.#minimumSeconds || ++this.#intervalRaises > MAX_INTERVAL_RAISES) return false;
    this.#minimumSeconds = minimum;
    this.#intervalSeconds = Math.max(this.#intervalSeconds, minimum);
    return true;
  }

  #unreachable(error: Error): void {
    if (this.#session.state !== 'setup') return;
    const { peer } = this.#inviteFlow;
    this.#tellUnreachable(targetName(peer), error);
    if (!this.#targets.wayLeft || this.#provisional !== null || this.#cancelled) this.#failUnreachable(this.#failure);
    else this.#tryOn();
  }

  #fail(outcome: InviteOutcome): void {
    if (this.#session.state !== 'setup') return;
    this.#stopTimers();
    this.#asked = null;
    this.#session.notify((delegate) => delegate.onReject?.(outcome));
    this.#session.close(outcome.kind === 'unreachable' ? 'transport_error' : 'normal');
    // A cancelled INVITE that never got its final answer has no timer of its own.
    if (outcome.kind === 'timeout') this.dispose();
  }

  #tellUnreachable(target: string, error: unknown): void {
    this.#failure ??= error;
    this.#session.notify((delegate) => delegate.onUnreachable?.(target, whyUnreachable(error)));
  }

  #tellAnswer(answer: Pick<FinalAnswer, 'status' | 'retryAfterSeconds'>): void {
    this.#session.notify((delegate) => delegate.onHostAnswer?.(this.#targets.host, answer));
  }

  #stopWatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  #stopTimers(): void {
    this.#stopWatch();
    this.#timers.clearAll();
  }
}

function outcomeOf(response: SipResponse, provisional: number | null): FinalAnswer {
  const retryAfter = /^\d{1,9}/.exec(response.first('retry-after') ?? '')?.[0];
  return {
    kind: 'status',
    status: response.status,
    reason: decodeWireText(response.reason),
    q850: q850Cause(response),
    provisional,
    retryAfterSeconds: retryAfter === undefined ? null : Number(retryAfter),
  };
}

function escapeDisplayName(name: string): string {
  return oneLine(encodeWireText(name)).replace(/[\\"]/g, '\\$&');
}
