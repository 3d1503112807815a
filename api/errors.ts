/** The API's one error family. `errorAnswer` is what a client sees of it. */

export interface ValidationIssue {
  /** Dotted path into the request, `body.` or `query.` left out. */
  readonly path: string;
  readonly message: string;
}

export interface ApiErrorOptions {
  readonly issues?: readonly ValidationIssue[];
  /** Seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Further members of the body, such as `call_id` when an outcome is unknown. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 431 | 500 | 503;

export const REASON_PHRASES: Readonly<Record<ErrorStatus, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: ErrorStatus;
  /** Stable, snake_case. */
  readonly code: string;
  readonly options: ApiErrorOptions;

  constructor(status: ErrorStatus, code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.options = options;
  }
}

/** @param requestId that of the answer's `X-Request-Id` */
export function errorAnswer(error: ApiError, requestId: string): Record<string, unknown> {
  const { issues, details } = error.options;
  return {
    ...details,
    statusCode: error.status,
    message: error.message,
    error: REASON_PHRASES[error.status],
    code: error.code,
    requestId,
    ...(issues === undefined ? {} : { issues }),
  };
}

export const notFound = (what: string): ApiError =>
  new ApiError(404, `${what.replaceAll(' ', '_')}_not_found`, `No such ${what}`);

export const conflict = (code: string, message: string, details?: Readonly<Record<string, unknown>>): ApiError =>
  new ApiError(409, code, message, details === undefined ? {} : { details });

export const impossible = (code: string, message: string, details?: Readonly<Record<string, unknown>>): ApiError =>
  new ApiError(422, code, message, details === undefined ? {} : { details });

export const invalid = (issues: readonly ValidationIssue[]): ApiError =>
  new ApiError(400, 'validation_failed', 'The request is not valid', { issues });

/** A server this one depends on is away: nothing was done. */
export const unavailable = (code: string, message: string, cause?: unknown): ApiError =>
  new ApiError(503, code, message, { retryAfterSeconds: 2, cause });

export const temporalUnavailable = (cause?: unknown): ApiError =>
  unavailable('temporal_unavailable', 'The workflow service is not reachable; nothing was done', cause);

/** An update of a call's workflow was not answered in time: it may have its effect all the same. */
export const effectUnknown = (message: string, callId: string, updateId: string): ApiError =>
  new ApiError(503, 'outcome_unknown', message, {
    retryAfterSeconds: 2,
    details: { call_id: callId, update_id: updateId },
  });
