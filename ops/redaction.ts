/**
 * What a log line may not show: phone numbers, digits a caller pressed, what was said, credentials and authorization
 * headers. Fields are recognised by name, and what slips into a text (a SIP URI in an error message) by shape.
 */
export const REDACTED = '[redacted]';

const MAX_DEPTH = 6;

const NAMES = [
  // phone numbers
  'number',
  'numbers',
  'phone',
  'phoneNumber',
  'phoneNumbers',
  'from',
  'fromNumber',
  'to',
  'toNumber',
  'caller',
  'callerNumber',
  'callee',
  'calleeNumber',
  'calledNumber',
  'destination',
  'requestUri',
  // what was pressed or said
  'digit',
  'digits',
  'dtmf',
  'transcript',
  'transcripts',
  'text',
  'utterance',
  'speech',
  'prompt',
  'firstMessage',
  'arguments',
  // credentials
  'authorization',
  'proxyAuthorization',
  'wwwAuthenticate',
  'proxyAuthenticate',
  'password',
  'authPassword',
  'authUsername',
  'username',
  'secret',
  'secrets',
  'secretsKey',
  'apiKey',
  'bootstrapApiKey',
  'key',
  'token',
  'cookie',
  'sealed',
  'databaseUrl',
];
const SENSITIVE_NAMES = new Set(NAMES.map(normalise));

/** The names as pino's own `redact` takes them: it covers the bindings of child loggers, which no formatter sees. */
export const SENSITIVE_PATHS: readonly string[] = [
  ...new Set(NAMES.flatMap((name) => [name, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)])),
];

/** A copy of `fields` in which every value under a sensitive name is replaced, at any depth up to six. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

/** Hides in a finished line what has the shape of an E.164 number, a SIP user, a bearer token or a URL's password. */
export function redactText(text: string): string {
  return text
    .replace(/\b(sips?|tel):[^@\s"<>;]+@/gi, `$1:${REDACTED}@`)
    .replace(/(?<![\w.])\+\d{6,15}\b/g, REDACTED)
    .replace(/\b(Bearer|Digest|Basic)\s+(?!realm)[\w~+/=.-]{8,}/gi, `$1 ${REDACTED}`)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^:/@\s"]+):[^@/\s"]+@/gi, `$1:${REDACTED}@`);
}

function redactObject(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    copy[name] = SENSITIVE_NAMES.has(normalise(name)) && field != null ? REDACTED : redactValue(field, depth + 1);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  // Errors, dates and buffers have serialisers of their own.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return redactObject(value as Record<string, unknown>, depth);
}

function normalise(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase();
}
