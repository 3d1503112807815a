import type { SipResponse } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import { OwnAddress } from '../../../../media/sip/own-address';

import type { Flow } from '../../../../media/sip/edge/flow';
import type { ResolvedTarget } from '../../../../media/sip/edge/resolver';
import type { OutOfDialog, OutOfDialogRequest, OutOfDialogResult } from '../../../../media/sip/out-of-dialog';

export interface SentRequest {
  readonly method: string;
  readonly request: OutOfDialogRequest;
  readonly target: ResolvedTarget;
  readonly headers: readonly string[];
}

type FakeAnswer =
  | number
  | { readonly status: number; readonly headers?: readonly string[]; readonly from?: string }
  | 'silent'
  | 'refused'
  /** Comes when the test says so, by `release`. */
  | 'later';

export const TARGET: ResolvedTarget = { address: '192.0.2.1', port: 5060, transport: 'udp' };

/** A carrier as the watch over a trunk sees it: answers as a test says, at once, and remembers what it was asked. */
export class FakeOutOfDialog implements OutOfDialog {
  readonly sent: SentRequest[] = [];
  targets: readonly ResolvedTarget[] = [TARGET];
  /** What `resolve` rejects with. */
  failure: unknown = null;
  answer: (sent: SentRequest) => FakeAnswer = () => 200;
  readonly #breakers: ((error: Error) => void)[] = [];
  readonly #held: ((result: OutOfDialogResult) => void)[] = [];

  resolve(): Promise<readonly ResolvedTarget[]> {
    return this.failure === null ? Promise.resolve(this.targets) : Promise.reject(this.failure as Error);
  }

  send(request: OutOfDialogRequest, target: ResolvedTarget): Promise<OutOfDialogResult> {
    const headers = request.headers(new OwnAddress('192.0.2.99', 5060), target.transport);
    const sent = { method: request.method, request, target, headers };
    this.sent.push(sent);
    const answer = this.answer(sent);
    if (answer === 'later') return new Promise((resolve) => this.#held.push(resolve));
    if (answer === 'silent') return Promise.resolve({ kind: 'silent', connectedMs: null });
    if (answer === 'refused') {
      const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      return Promise.resolve({ kind: 'unreachable', error, connectedMs: null });
    }
    return Promise.resolve(this.#answered(typeof answer === 'number' ? { status: answer } : answer, target));
  }

  of(method: string): readonly SentRequest[] {
    return this.sent.filter((sent) => sent.method === method);
  }

  /** What was held back has no answer. */
  release(): void {
    for (const resolve of this.#held.splice(0)) resolve({ kind: 'silent', connectedMs: null });
  }

  /** Every connection breaks. */
  breakFlows(): void {
    for (const breaker of this.#breakers.splice(0)) breaker(new Error('connection closed'));
  }

  #answered(
    { status, headers = [], from }: { status: number; headers?: readonly string[]; from?: string },
    target: ResolvedTarget,
  ): OutOfDialogResult {
    const lines = [`SIP/2.0 ${status} Test`, 'CSeq: 1 REGISTER', ...headers, 'Content-Length: 0', '', ''];
    const response = parseMessage(Buffer.from(lines.join('\r\n'), 'latin1')) as SipResponse;
    const flow: Flow = {
      transport: target.transport,
      peer: { ...target, address: from ?? target.address },
      localAddress: '192.0.2.99',
      reliable: target.transport === 'tcp',
      open: true,
      send: () => undefined,
      onFailure: (listener) => {
        this.#breakers.push(listener);
        return () => this.#breakers.splice(this.#breakers.indexOf(listener), 1);
      },
    };
    return { kind: 'answered', response, flow, rttMs: 20, connectedMs: null };
  }
}

/** `expires` of the Contact that a REGISTER carries. */
export function expiresOf({ headers }: SentRequest): number {
  return Number(/;expires=(\d+)$/.exec(headers.find((line) => line.startsWith('Contact: ')) ?? '')?.[1]);
}
