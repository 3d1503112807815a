import { flowToTarget } from './edge/target-flow';
import { makeBranch } from './message/branch';
import { serialiseRequest } from './message/serialiser';
import { Retransmission } from './retransmission';
import { TIMER_K_MS } from './timers';

import type { TimerHandle } from '../clock';
import type { DialogContext } from './dialog-context';
import type { Flow } from './edge/flow';
import type { ResolvedTarget } from './edge/resolver';
import type { SipResponse } from './message/message';
import type { OwnAddress } from './own-address';

/** A request of ours that belongs to no dialog: OPTIONS, REGISTER. All texts one character per byte. */
export interface OutOfDialogRequest {
  readonly method: 'OPTIONS' | 'REGISTER';
  readonly requestUri: string;
  readonly fromUri: string;
  /** The same in what repeats a request with credentials (RFC 3261 §8.1.3.5). */
  readonly fromTag: string;
  readonly toUri: string;
  readonly callId: string;
  readonly cseq: number;
  /** Complete lines, for the way that it goes. */
  readonly headers: (ownAddress: OwnAddress, transport: Flow['transport']) => readonly string[];
  /** Complete lines with credentials: only the trunk's own addresses are asked. */
  readonly credentials?: readonly string[];
  /** Timer F: how long nothing final may be heard. */
  readonly timeoutMs: number;
  /** For a TCP connection. Default 2 s. */
  readonly connectMs?: number;
  /** See `flowToTarget`. */
  readonly watched?: boolean;
}

type Outcome =
  | { readonly kind: 'answered'; readonly response: SipResponse; readonly flow: Flow; readonly rttMs: number }
  /** Timer F. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'unreachable'; readonly error: unknown };

export type OutOfDialogResult = Outcome & {
  /** Until the TCP connection to a target of TCP was there; of UDP nothing tells. */
  readonly connectedMs: number | null;
};

export interface TargetOfTrunk {
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | null;
}

/** What else than calls goes out by the endpoint's sockets. */
export interface OutOfDialog {
  /** By the way of calls; rejects when there is no address. */
  resolve(target: TargetOfTrunk): Promise<readonly ResolvedTarget[]>;
  /** To one address, as often as RFC 3261 §17.1.2 says. Never rejects. */
  send(request: OutOfDialogRequest, target: ResolvedTarget): Promise<OutOfDialogResult>;
}

const TCP_CONNECT_MS = 2_000;
/** Via, To, From, CSeq and the like. */
const FIXED_BYTES = 500;

type Context = Pick<DialogContext, 'edge' | 'ownAddresses' | 'clock' | 'counters' | 'product' | 'resolve'>;

/** The transactions of such requests, by their branch. A dialog has its own in sip.js, these need no core around them. */
export class OutOfDialogRequests implements OutOfDialog {
  readonly #context: Context;
  readonly #transactions = new Map<string, ClientTransaction>();
  #closed = false;

  constructor(context: Context) {
    this.#context = context;
  }

  resolve({ host, port, transport }: TargetOfTrunk): Promise<readonly ResolvedTarget[]> {
    return this.#context.resolve(host, port, transport);
  }

  async send(request: OutOfDialogRequest, target: ResolvedTarget): Promise<OutOfDialogResult> {
    const { edge, ownAddresses, clock } = this.#context;
    let connectedMs: number | null = null;
    try {
      const ownAddress = await ownAddresses.towards(target.address);
      const sample = request.headers(ownAddress, target.transport).concat(request.credentials ?? []);
      const requestBytes = sample.reduce((sum, line) => sum + line.length + 2, FIXED_BYTES);
      const { watched = true, connectMs = TCP_CONNECT_MS } = request;
      const startedMs = clock.now();
      const flow = await flowToTarget(edge, target, { connectMs, requestBytes, watched });
      if (this.#closed) throw new Error('SIP endpoint is closed');
      if (target.transport === 'tcp') connectedMs = clock.now() - startedMs;
      return { ...(await this.#exchange(request, ownAddress, flow)), connectedMs };
    } catch (error) {
      return { kind: 'unreachable', error, connectedMs };
    }
  }

  /** False when the response is to no request of these: branch and method tell (RFC 3261 §17.1.3). */
  receive(response: SipResponse, flow: Flow): boolean {
    const transaction = this.#transactions.get(response.branch);
    if (transaction === undefined || response.cseq?.method !== transaction.method) return false;
    transaction.receive(response, flow);
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const transaction of this.#transactions.values()) transaction.fail(new Error('SIP endpoint is closed'));
    for (const transaction of this.#transactions.values()) transaction.forget();
  }

  #exchange(request: OutOfDialogRequest, ownAddress: OwnAddress, flow: Flow): Promise<Outcome> {
    const { clock, counters, product } = this.#context;
    const { method, fromTag } = request;
    const branch = makeBranch(fromTag);
    const bytes = serialiseRequest(
      {
        method,
        requestUri: request.requestUri,
        routes: [],
        hop: request.requestUri,
        sentBy: ownAddress.sentBy,
        branch,
        to: `<${request.toUri}>`,
        from: `<${request.fromUri}>;tag=${fromTag}`,
        callId: request.callId,
        cseq: request.cseq,
        headers: request.headers(ownAddress, flow.transport),
        credentials: request.credentials ?? [],
        product,
      },
      flow.transport,
      true,
    );
    return new Promise((resolve) => {
      const transaction = new ClientTransaction({
        method,
        clock,
        flow,
        timeoutMs: request.timeoutMs,
        send: (again) => {
          if (again) counters.retransmitted(method);
          counters.message('out', method, null);
          flow.send(bytes);
        },
        onResult: resolve,
        onForgotten: () => this.#transactions.delete(branch),
      });
      this.#transactions.set(branch, transaction);
      transaction.start();
    });
  }
}

interface TransactionOptions {
  readonly method: string;
  readonly clock: Context['clock'];
  readonly flow: Flow;
  readonly timeoutMs: number;
  readonly send: (again: boolean) => void;
  readonly onResult: (outcome: Outcome) => void;
  readonly onForgotten: () => void;
}

/**
 * Client transaction of a request that is no INVITE (RFC 3261 §17.1.2):
 *
 *     trying → proceeding → completed → (timer K) forgotten
 *        └─────────┴───────────────────→ forgotten            timer F, transport error
 */
class ClientTransaction {
  readonly #options: TransactionOptions;
  readonly #startedMs: number;
  #state: 'trying' | 'proceeding' | 'completed' | 'forgotten' = 'trying';
  #retransmission: Retransmission | undefined;
  #timer: TimerHandle | undefined;
  #stopWatching: () => void = () => undefined;

  constructor(options: TransactionOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
  }

  get method(): string {
    return this.#options.method;
  }

  start(): void {
    const { clock, flow, timeoutMs, send } = this.#options;
    this.#stopWatching = flow.onFailure((error) => this.fail(error));
    this.#timer = clock.setTimeout(() => this.#end({ kind: 'silent' }), timeoutMs);
    this.#trySend(() => send(false));
    if (flow.reliable || this.#over) return;
    this.#retransmission = new Retransmission({
      clock,
      pace: () => (this.#state === 'trying' ? 'backoff' : this.#state === 'proceeding' ? 'slow' : 'stop'),
      send: () => this.#trySend(() => send(true)),
      onStop: () => undefined,
    });
  }

  receive(response: SipResponse, flow: Flow): void {
    if (this.#over) return; // a final answer, repeated
    if (response.status < 200) {
      this.#state = 'proceeding';
      return;
    }
    const { clock } = this.#options;
    this.#complete({ kind: 'answered', response, flow, rttMs: clock.now() - this.#startedMs });
  }

  /** It counts while nothing at all was heard. */
  fail(error: unknown): void {
    if (this.#state === 'trying') this.#end({ kind: 'unreachable', error });
  }

  forget(): void {
    if (this.#state === 'forgotten') return;
    if (!this.#over) this.#options.onResult({ kind: 'silent' });
    this.#state = 'forgotten';
    this.#stop();
    this.#options.onForgotten();
  }

  get #over(): boolean {
    return this.#state === 'completed' || this.#state === 'forgotten';
  }

  #trySend(send: () => void): void {
    try {
      send();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Repeated answers still belong to it for a while (timer K). */
  #complete(result: Outcome): void {
    const { clock, flow, onResult } = this.#options;
    this.#state = 'completed';
    this.#stop();
    if (flow.reliable) this.forget();
    else this.#timer = clock.setTimeout(() => this.forget(), TIMER_K_MS);
    onResult(result);
  }

  #end(result: Outcome): void {
    if (this.#over) return;
    this.#state = 'completed';
    this.forget();
    this.#options.onResult(result);
  }

  #stop(): void {
    this.#stopWatching();
    this.#retransmission?.stop();
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
