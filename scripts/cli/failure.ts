import { EXIT } from './exit-code';
import type { ExitCode } from './exit-code';

/** The API's error body, as far as it is read here. */
interface ErrorBody {
  readonly statusCode: number;
  readonly message: string;
  readonly code: string;
  readonly requestId?: string;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
  readonly [detail: string]: unknown;
}

/** Every failure that is told to the user. Its message never holds a key, a password or a URL's user part. */
export class CliFailure extends Error {
  override readonly name: string = 'CliFailure';
  readonly exitCode: ExitCode;
  /** Stable, snake_case. */
  readonly code: string;
  readonly details: Record<string, unknown> = {};

  constructor(exitCode: ExitCode, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
  }

  /** What `--json` prints. */
  toJSON(): Record<string, unknown> {
    return { message: this.message, code: this.code, ...this.details, exitCode: this.exitCode };
  }
}

/** The API answered, and not with what was asked for. */
export class RefusedByApi extends CliFailure {
  override readonly name = 'RefusedByApi';
  readonly status: number;
  /** As `Retry-After` says. */
  readonly retryAfterMs: number | null;

  constructor(body: ErrorBody, retryAfterMs: number | null) {
    super(EXIT.refused, body.code, body.message);
    this.status = body.statusCode;
    this.retryAfterMs = retryAfterMs;
    Object.assign(this.details, body);
  }
}

export const usageFailure = (message: string): CliFailure => new CliFailure(EXIT.usage, 'usage', message);

export function isErrorBody(body: unknown): body is ErrorBody {
  const { message, code, statusCode } = (body ?? {}) as Record<string, unknown>;
  return typeof message === 'string' && typeof code === 'string' && typeof statusCode === 'number';
}

const TOLD_OTHERWISE = new Set(['statusCode', 'message', 'error', 'code', 'issues', 'requestId']);

/** In plain words, a line each. */
export function failureLines(failure: CliFailure): readonly string[] {
  const { issues, requestId, ...details } = failure.details as Partial<ErrorBody>;
  const status = failure instanceof RefusedByApi ? `${failure.status} ` : '';
  const rest = Object.entries(details).filter(([name]) => !TOLD_OTHERWISE.has(name));
  return [
    `error: ${failure.message} (${status}${failure.code})`,
    ...(issues ?? []).map(({ path, message }) => `  ${path === '' ? 'request' : path}: ${message}`),
    ...rest.map(([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
    ...(requestId === undefined ? [] : [`  request id: ${requestId}`]),
  ];
}
