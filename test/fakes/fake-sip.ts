import type { SipLadderEntry } from '../../contract/events';
import type { DialogDelegate, InboundDialog, OutboundDialog, PeerLife, ReofferOutcome } from '../../media/sip/dialog';
import type { SipEndpoint } from '../../media/sip/endpoint';
import type { NamedTarget, TargetLookup } from '../../media/sip/edge/target-lookup';
import type { FinalAnswer, InboundInvite, OutboundInvite, SipHost } from '../../media/sip/invite';
import type { OutOfDialog } from '../../media/sip/out-of-dialog';
import type { ReasonHeader } from '../../media/sip/reason';
import type { ReplacesHeader } from '../../media/sip/refer/replaces';
import type { ReferOutcome, ReferRequest } from '../../media/sip/refer/sent-refer';
import { RegisteredLines } from '../../media/sip/registration/registered-lines';

export const PHONE_SDP = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 40000 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=sendrecv',
  '',
].join('\r\n');

export const VIDEO_ONLY_SDP = PHONE_SDP.replace('m=audio 40000 RTP/AVP 0 101', 'm=video 40000 RTP/AVP 96');

const ACCEPTED: FinalAnswer = {
  kind: 'status',
  status: 200,
  reason: 'OK',
  q850: null,
  provisional: 180,
  retryAfterSeconds: null,
};

const message = (direction: 'in' | 'out', method: string, status: number | null): SipLadderEntry => ({
  direction,
  method,
  status,
  reason: null,
  cseq: `1 ${method}`,
  transport: 'udp',
});

abstract class FakeDialog {
  delegate: DialogDelegate = {};
  readonly sent: string[] = [];
  byeReason: ReasonHeader | undefined;
  over = false;

  constructor(readonly sipCallId: string) {}

  bye(reason?: ReasonHeader): void {
    if (this.over) return;
    this.over = true;
    this.byeReason = reason;
    this.sent.push('BYE');
    this.delegate.onMessage?.(message('out', 'BYE', null));
  }

  /** What `probe` answers. */
  life: PeerLife = 'alive';
  probes = 0;

  probe(): Promise<PeerLife> {
    this.probes++;
    return Promise.resolve(this.life);
  }

  /** Our offers in the dialog, and what becomes of the next one. */
  readonly reoffers: string[] = [];
  reofferOutcome: ReofferOutcome = { ok: true, sdp: PHONE_SDP };

  reoffer(sdp: string | (() => string)): Promise<ReofferOutcome> {
    if (this.over) return Promise.resolve({ ok: false, status: null });
    this.reoffers.push(typeof sdp === 'string' ? sdp : sdp());
    this.sent.push('re-INVITE');
    return Promise.resolve(this.reofferOutcome);
  }

  /** Bodies of our INFO. */
  readonly infos: string[] = [];
  takesInfo = true;

  info(_contentType: string, body: string): Promise<boolean> {
    if (this.over) return Promise.resolve(false);
    this.infos.push(body);
    return Promise.resolve(this.takesInfo);
  }

  remoteTarget = 'sip:phone@192.0.2.10:5070';
  readonly localUri = 'sip:+15551234567@192.0.2.1';

  get replacesAtPeer(): ReplacesHeader {
    return { sipCallId: this.sipCallId, toTag: 'theirs', fromTag: 'ours', earlyOnly: false };
  }

  /** What the peer can: methods and option tags. */
  readonly peerCan = new Set<string>();
  readonly refers: { readonly request: ReferRequest; readonly onProgress: (status: number) => void }[] = [];
  /** Ends the last of them. */
  endRefer: (outcome: ReferOutcome) => void = () => undefined;

  refer(request: ReferRequest, onProgress: (status: number) => void): Promise<ReferOutcome> {
    if (this.over) return Promise.resolve({ kind: 'dialog_over' });
    this.sent.push('REFER');
    this.refers.push({ request, onProgress });
    return new Promise((resolve) => (this.endRefer = resolve));
  }

  peerAllows(method: string): boolean {
    return this.peerCan.has(method);
  }

  peerSupports(option: string): boolean {
    return this.peerCan.has(option);
  }

  dispose(): void {
    this.over = true;
  }

  answerBye(): void {
    this.delegate.onMessage?.(message('in', 'BYE', 200));
    this.delegate.onClosed?.('normal');
  }

  peerBye(reason: ReasonHeader | null = null): void {
    this.over = true;
    this.delegate.onMessage?.(message('in', 'BYE', null));
    this.delegate.onMessage?.(message('out', 'BYE', 200));
    this.delegate.onBye?.(reason);
    this.delegate.onClosed?.('normal');
  }
}

export class FakeInboundDialog extends FakeDialog implements InboundDialog {
  readonly invite: InboundInvite;
  readonly answers: (string | null)[] = [];
  /** The INVITE had `Require: 100rel`. */
  demandsReliable = false;
  /** Our offer in the 180. */
  earlyOffer: string | null = null;
  rejection: {
    readonly status: number;
    readonly reason?: string;
    readonly retryAfterSeconds?: number;
    readonly warning?: string;
  } | null = null;

  constructor(invite: Partial<InboundInvite> = {}) {
    super(invite.sipCallId ?? 'sip-1');
    this.invite = {
      sipCallId: this.sipCallId,
      fromTag: 'f1',
      cseq: 2,
      requestUser: '+15551234567',
      caller: { user: '+15557654321', displayName: null, anonymous: false, privacy: [] },
      headers: new Map(),
      offer: PHONE_SDP,
      peer: { transport: 'udp', address: '192.0.2.10', port: 5060 },
      identity: { trunkId: 'trunk-1', orgId: 'org-1', username: 'user' },
      localAddress: '192.0.2.1',
      receivedAt: 0,
      ...invite,
    };
  }

  ring(offer: () => string): void {
    this.sent.push('180');
    if (this.demandsReliable && this.invite.offer === null) this.earlyOffer = offer();
    this.delegate.onMessage?.(message('out', 'INVITE', 180));
  }

  answer(sdp: string | null): void {
    this.answers.push(sdp);
    this.sent.push('200');
    this.delegate.onMessage?.(message('out', 'INVITE', 200));
  }

  reject(status: number, options: { reason?: string; retryAfterSeconds?: number; warning?: string } = {}): void {
    this.over = true;
    this.rejection = { status, ...options };
    this.sent.push(String(status));
    this.delegate.onMessage?.(message('out', 'INVITE', status));
  }

  prack(sdp: string | null = null): void {
    this.delegate.onMessage?.(message('in', 'PRACK', null));
    this.delegate.onPrack?.(sdp);
  }

  ack(sdp: string | null = null): void {
    this.delegate.onMessage?.(message('in', 'ACK', null));
    this.delegate.onAck?.(sdp);
  }

  cancel(): void {
    this.over = true;
    this.sent.push('487');
    this.delegate.onCancel?.();
    this.delegate.onClosed?.('normal');
  }
}

export class FakeOutboundDialog extends FakeDialog implements OutboundDialog {
  readonly peer = { transport: 'udp', address: '192.0.2.10', port: 5060 } as const;
  cancelReason: ReasonHeader | undefined;

  constructor(
    readonly options: OutboundInvite,
    readonly sdpOffer: string,
  ) {
    super(options.sipCallId);
  }

  cancel(reason?: ReasonHeader): void {
    if (this.over) return;
    this.cancelReason = reason;
    this.sent.push('CANCEL');
  }

  progress(status: number): void {
    if (status > 100) this.hostAnswers(status);
    this.delegate.onProgress?.(status);
  }

  /** The host that is tried: the first, as nothing is sent. */
  hostAnswers(status: number, retryAfterSeconds: number | null = null, host = this.host): void {
    this.delegate.onHostAnswer?.(host, { status, retryAfterSeconds });
  }

  get host(): SipHost {
    return this.options.gateways?.[0] ?? this.options.target;
  }

  accept(sdp: string | null = PHONE_SDP, answer: Partial<FinalAnswer> = {}): void {
    this.hostAnswers(answer.status ?? ACCEPTED.status);
    this.delegate.onAccept?.(sdp, { ...ACCEPTED, ...answer });
  }

  refuse(
    status: number,
    provisional: number | null = 180,
    reason = `Status ${status}`,
    retryAfterSeconds: number | null = null,
  ): void {
    this.over = true;
    this.hostAnswers(status, retryAfterSeconds);
    this.delegate.onReject?.({ ...ACCEPTED, status, reason, provisional, retryAfterSeconds });
    this.delegate.onClosed?.('normal');
  }
}

export class FakeSipEndpoint implements SipEndpoint {
  readonly dialogs: FakeOutboundDialog[] = [];
  readonly localAddress = '192.0.2.1';
  /** What `invite` rejects with, and what it tells before that. */
  failure: Error | null = null;
  unreachable: readonly (readonly [target: string, reason: string])[] = [];
  /** Awaited by `invite` before the offer is asked for: resolution. */
  resolution: Promise<void> = Promise.resolve();
  draining = false;
  readonly lines = new RegisteredLines();
  readonly outOfDialog: OutOfDialog = {
    resolve: () => Promise.resolve([]),
    send: () => Promise.resolve({ kind: 'silent', connectedMs: null }),
  };

  get dialogCount(): number {
    return this.dialogs.filter((dialog) => !dialog.over).length;
  }

  get last(): FakeOutboundDialog {
    return this.dialogs.at(-1)!;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  drain(): void {
    this.draining = true;
  }

  async invite(options: OutboundInvite, delegate: DialogDelegate): Promise<OutboundDialog> {
    await this.resolution;
    for (const [target, reason] of this.unreachable) delegate.onUnreachable?.(target, reason);
    if (this.failure) throw this.failure;
    const dialog = new FakeOutboundDialog(options, options.offer(this.localAddress));
    dialog.delegate = delegate;
    dialog.sent.push('INVITE');
    this.dialogs.push(dialog);
    return dialog;
  }

  lookUp(target: NamedTarget): Promise<TargetLookup> {
    const { host: address, port, transport } = target;
    const targets = [{ address, port: port ?? 5060, transport: transport ?? 'udp' } as const];
    return Promise.resolve({ targets, records: [], failure: null });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
