import type { SipLadderEntry } from '../../contract/events';
import { flowToHop, nextHop, sendResponse } from './edge/routing';

import type { RequestCredentials } from './auth/request-credentials';
import type { DialogContext } from './dialog-context';
import type { Flow } from './edge/flow';
import type { OutgoingRequest } from './message/outgoing-request';
import type { ReplyTransport, RequestTransport } from './stack-transport';

interface DialogWireOptions {
  readonly context: DialogContext;
  /** Where the INVITE that opens the dialog goes, or came from; what the peer names is reached from there. */
  readonly inviteFlow: () => Flow;
  readonly credentials?: RequestCredentials | undefined;
  readonly onMessage: (message: SipLadderEntry) => void;
}

/** Takes the messages of a dialog to their sockets, counts them and tells of them. */
export class DialogWire implements RequestTransport {
  readonly #options: DialogWireOptions;
  /** By branch: one INVITE after the other may go to another host, and each has its own CANCEL and ACK. */
  readonly #inviteFlows = new Map<string, Flow>();

  constructor(options: DialogWireOptions) {
    this.#options = options;
  }

  get reliable(): boolean {
    return this.#options.inviteFlow().reliable;
  }

  async send(request: OutgoingRequest): Promise<void> {
    const { context, inviteFlow, credentials } = this.#options;
    const { method, cseq, branch } = request.parts;
    let flow = this.#inviteFlows.get(branch) ?? inviteFlow();
    if (request.way === 'along_invite') this.#inviteFlows.set(branch, flow);
    if (request.way === 'next_hop') flow = await flowToHop(context, nextHop(request.parts), flow.peer);
    this.#sent(method, null, null, `${cseq} ${method}`, flow);
    flow.send(request.bytes(flow.transport, credentials?.mayGoTo(flow.peer.address) ?? false));
  }

  /** The way back over the flow of a request. */
  repliesOver(flow: Flow): ReplyTransport {
    return {
      reliable: flow.reliable,
      send: (response) => {
        const { method, status, reason, cseq } = response;
        this.#sent(method, status, reason, cseq, flow);
        return sendResponse(this.#options.context.edge, flow, response);
      },
    };
  }

  #sent(method: string, status: number | null, reason: string | null, cseq: string, { transport }: Flow): void {
    this.#options.context.counters.message('out', method, status);
    this.#options.onMessage({ direction: 'out', method, status, reason, cseq, transport });
  }
}
