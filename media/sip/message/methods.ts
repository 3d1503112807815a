/** Methods that we serve, in the order of the Allow header. */
const ALLOWED_METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK'] as const;

export const ALLOW = ALLOWED_METHODS.join(', ');

/** Served in dialogs only: a REFER outside of one would make a call for whoever asks. */
const IN_DIALOG_METHODS = ['REFER', 'NOTIFY'] as const;

/** Of a dialog in which somebody takes the peer's REFER. */
export const ALLOW_WITH_REFER = [...ALLOWED_METHODS, ...IN_DIALOG_METHODS].join(', ');

const served: ReadonlySet<string> = new Set(ALLOWED_METHODS);
const servedInDialog: ReadonlySet<string> = new Set(IN_DIALOG_METHODS);

/** Registered methods that we understand but do not serve: 405, not 501 (RFC 3261 §21.4.6, §21.5.2). */
const known: ReadonlySet<string> = new Set([
  ...ALLOWED_METHODS,
  'REGISTER',
  ...IN_DIALOG_METHODS,
  'SUBSCRIBE',
  'PUBLISH',
  'MESSAGE',
]);

export function isServedMethod(method: string, inDialog: boolean): boolean {
  return served.has(method) || (inDialog && servedInDialog.has(method));
}

export function isKnownMethod(method: string): boolean {
  return known.has(method);
}
