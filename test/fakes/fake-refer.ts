import type { IncomingRefer } from '../../media/sip/refer/received-refer';

/** A REFER of the peer's, as its dialog hands it on. */
export class FakeRefer implements IncomingRefer {
  readonly referTo: IncomingRefer['referTo'];
  readonly referredBy = 'sip:operator@192.0.2.10';
  /** In order: 202 or the refusal, then what was notified. */
  readonly told: number[] = [];

  constructor(uri = 'sip:200@192.0.2.10:5062', more: Partial<IncomingRefer['referTo']> = {}) {
    this.referTo = { uri, method: 'INVITE', replaces: null, headers: [], ...more };
  }

  accept(): void {
    this.told.push(202);
  }

  refuse(status: number): void {
    this.told.push(status);
  }

  notify(status: number): Promise<void> {
    this.told.push(status);
    return Promise.resolve();
  }
}
