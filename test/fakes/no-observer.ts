import type { CallObserver } from '../../media/call/call-observer';

export const NO_OBSERVER: CallObserver = {
  callBegan: () => undefined,
  callEnded: () => undefined,
  rejected: () => undefined,
  turnLatency: () => undefined,
};
