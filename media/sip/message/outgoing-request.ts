import { serialiseRequest } from './serialiser';

import type { SipTransport } from '../peer';
import type { RequestParts } from './serialiser';

/**
 * - `along_invite`: where the INVITE that opens the dialog goes: that INVITE, its CANCEL, the ACK of its refusal
 *   (RFC 3261 §9.1, §17.1.1.3)
 * - `next_hop`: where the dialog's route set or remote target says
 */
export type RequestWay = 'along_invite' | 'next_hop';

/**
 * A request of ours, which stays an object until it is handed to a socket. Its bytes are made once, and once more only
 * when a repetition goes over another transport; all other repetitions are the same bytes.
 */
export class OutgoingRequest {
  readonly parts: RequestParts;
  readonly way: RequestWay;
  #written: { readonly transport: SipTransport; readonly toTrunk: boolean; readonly bytes: Buffer } | undefined;

  constructor(parts: RequestParts, way: RequestWay) {
    this.parts = parts;
    this.way = way;
  }

  /**
   * @param transport the one that it really leaves by: Via names it
   * @param toTrunk whether it goes to whom our credentials are for
   */
  bytes(transport: SipTransport, toTrunk: boolean): Buffer {
    if (this.#written?.transport !== transport || this.#written.toTrunk !== toTrunk) {
      this.#written = { transport, toTrunk, bytes: serialiseRequest(this.parts, transport, toTrunk) };
    }
    return this.#written.bytes;
  }
}
