import type { OutboundDialog } from '../../../../media/sip/dialog';

import { OFFER } from './caller';
import { SipPeer } from './sip-peer';
import { recordingDelegate, TestEndpoint } from './test-endpoint';

/** A server that dials, and the carrier that it dials over UDP with the credentials bob/pw. */
export class OutboundBench {
  /** What the dialogs' delegates were told. */
  readonly events: string[] = [];
  /** The SDP that each acceptance brought. */
  readonly answers: (string | null)[] = [];
  readonly endpoint: TestEndpoint;
  readonly carrier: SipPeer;
  #dials = 0;

  private constructor(endpoint: TestEndpoint, carrier: SipPeer) {
    this.endpoint = endpoint;
    this.carrier = carrier;
  }

  static async open(): Promise<OutboundBench> {
    return new OutboundBench(await TestEndpoint.start(), await SipPeer.udp());
  }

  dial(): Promise<OutboundDialog> {
    this.#dials += 1;
    const delegate = recordingDelegate(this.events);
    return this.endpoint.server.invite(
      {
        sipCallId: `bench-${this.#dials}@trunkline`,
        target: { user: '+15557654321', host: '127.0.0.1', port: this.carrier.port, transport: 'udp' },
        fromUser: '+15550001111',
        credentials: { username: 'bob', password: 'pw' },
        offer: () => OFFER,
      },
      {
        ...delegate,
        onAccept: (...accepted) => {
          this.answers.push(accepted[0]);
          delegate.onAccept?.(...accepted);
        },
      },
    );
  }

  /** Fails when something went wrong meanwhile, or a dialog is left. */
  async close(): Promise<void> {
    SipPeer.closeAll();
    await this.endpoint.server.close();
    expect(this.endpoint.errors).toEqual([]);
    expect(this.endpoint.server.dialogCount).toBe(0);
  }
}
