/** Methods that we serve, in the order of the Allow header. */
const ALLOWED_METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'PRACK'] as const;

export const ALLOW = ALLOWED_METHODS.join(', ');

const served: ReadonlySet<string> = new Set(ALLOWED_METHODS);

/** Registered methods that we understand but do not serve: 405, not 501 (RFC 3261 §21.4.6, §21.5.2). */
const known: ReadonlySet<string> = new Set([
  ...ALLOWED_METHODS,
  'REGISTER',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'MESSAGE',
  'REFER',
]);

export function isServedMethod(method: string): boolean {
  return served.has(method);
}

export function isKnownMethod(method: string): boolean {
  return known.has(method);
}
