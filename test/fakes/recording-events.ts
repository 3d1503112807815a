import type { CallEvent, CallEvents } from '../../contract/events';
export class RecordingEvents implements CallEvents {
  readonly all: CallEvent[] = [];
  /** What a flush comes to. */
  stores = true;

  report(event: CallEvent): void {
    this.all.push(event);
  }

  flush(): Promise<boolean> {
    return Promise.resolve(this.stores);
  }

  ofCall(callId: string): CallEvent[] {
    return this.all.filter((event) => event.callId === callId);
  }

  types(callId: string): string[] {
    return this.ofCall(callId)
      .filter((event) => event.type !== 'sip')
      .map((event) => event.type);
  }

  ended(callId: string): (CallEvent & { type: 'ended' })[] {
    return this.ofCall(callId).filter((event) => event.type === 'ended');
  }
}
