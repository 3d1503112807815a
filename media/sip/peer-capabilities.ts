import { SipRequest } from './message/message';

import type { SipResponse } from './message/message';

/** Far more than there are. */
const MAX_ENTRIES = 64;

/** What the peer of a dialog says that it can: its latest Allow and Supported (RFC 3261 §20.5, §20.37). */
export class PeerCapabilities {
  #methods: ReadonlySet<string> = new Set();
  #options: ReadonlySet<string> = new Set();

  /** A refusal may be a proxy's, and speaks for nobody; of a provisional answer another branch may pick up. */
  note(message: SipRequest | SipResponse): void {
    if (!(message instanceof SipRequest) && (message.status < 200 || message.status > 299)) return;
    if (message.headers.has('allow')) {
      this.#methods = new Set(message.list('allow').slice(0, MAX_ENTRIES));
    }
    if (message.headers.has('supported')) {
      this.#options = new Set(message.optionTags('supported').slice(0, MAX_ENTRIES));
    }
  }

  allows(method: string): boolean {
    return this.#methods.has(method);
  }

  supports(option: string): boolean {
    return this.#options.has(option);
  }
}
