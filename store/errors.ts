import { QueryFailedError } from 'typeorm';

/** Stable causes by which callers choose an answer; everything else a query throws is a defect or an outage. */
export type StoreErrorCode =
  | 'not_found'
  | 'inbound_trunk_exists'
  | 'network_taken'
  | 'number_taken'
  | 'number_exists'
  | 'number_assigned'
  | 'number_not_verified'
  | 'key_taken'
  | 'idempotency_mismatch'
  | 'idempotency_in_flight'
  | 'attempt_exists'
  | 'campaign_over'
  | 'invalid_cursor'
  | 'cursor_of_another_list'
  | 'last_operator_key';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** What the caller may name to its user: ids and numbers of the same organisation only. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: StoreErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.code = code;
    this.details = details;
  }
}

interface DriverError {
  readonly code?: string;
  readonly constraint?: string;
  readonly message?: string;
  readonly errors?: readonly unknown[];
}

function driverError(error: unknown): DriverError | undefined {
  if (error instanceof QueryFailedError) return error.driverError as DriverError;
  return typeof error === 'object' && error !== null ? error : undefined;
}

/** Name of the unique index a statement violated (SQLSTATE 23505), else undefined. */
export function violatedUnique(error: unknown): string | undefined {
  const cause = driverError(error);
  return cause?.code === '23505' ? cause.constraint : undefined;
}

/** Name of the exclusion constraint a statement violated (SQLSTATE 23P01), else undefined. */
export function violatedExclusion(error: unknown): string | undefined {
  const cause = driverError(error);
  return cause?.code === '23P01' ? cause.constraint : undefined;
}

/** The statement itself cannot succeed with these values: SQLSTATE classes 22 (data) and 23 (constraint). */
export function isDataError(error: unknown): boolean {
  return /^2[23]/.test(driverError(error)?.code ?? '') && (driverError(error)?.code ?? '').length === 5;
}

/** PostgreSQL is there and gave the statement up (SQLSTATE 57014): it may not fare better when it is repeated. */
export function isStatementTimeout(error: unknown): boolean {
  return driverError(error)?.code === '57014';
}

/** PostgreSQL is there and takes no write: disk full, read-only, I/O error (SQLSTATE 53100, 25006, 58030). */
export function isWriteRefusal(error: unknown): boolean {
  return /^(53100|25006|58030)$/.test(driverError(error)?.code ?? '');
}

/** Another transaction was in the way, and all of this one was undone (SQLSTATE 40001, 40P01): repeated, it may succeed. */
export function wasInTheWay(error: unknown): boolean {
  return /^(40001|40P01)$/.test(driverError(error)?.code ?? '');
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
/** What `pg`, `pg-pool` and TypeORM (of a connection lost between two statements) say without a code. */
const OUTAGE_MESSAGE =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable|cannot use a pool after|connection ended|already released/i;

/**
 * PostgreSQL is away, starting, stopping or too slow to answer: the same statement may succeed later. A statement that
 * failed so may nevertheless have been committed.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = driverError(error);
  if (!cause) return false;
  // A name with several addresses, none of which answers.
  if (Array.isArray(cause.errors)) return cause.errors.some(isDatabaseUnavailable);
  const code = cause.code ?? '';
  // 08 connection, 28 and 3D000 another server in its place, 53 resources, 57014 statement timeout, 57P0x shutdown and
  // start-up, 25P03 idle transaction ended.
  if (/^(08...|28...|3D000|53...|57014|57P0[1-5]|25P03)$/.test(code) || wasInTheWay(error)) return true;
  return NETWORK_CODES.has(code) || OUTAGE_MESSAGE.test(cause.message ?? '');
}
