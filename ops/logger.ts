import pino from 'pino';

import { REDACTED, redactFields, redactText, SENSITIVE_PATHS } from './redaction';

export type Logger = pino.Logger;
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export interface LoggerOptions {
  /** The process: `api`, `worker`, `media`, `supervisor`. */
  readonly name: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default standard output. */
  readonly destination?: pino.DestinationStream;
}

/**
 * The root logger of a process: one JSON object a line, without what `redaction.ts` names. Calls log through
 * `logger.child({ callId, sipCallId })`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings: pino.LoggerOptions = {
    name: options.name,
    level: options.level ?? 'info',
    base: { name: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Temporal's SDK logs its errors as `error`.
    serializers: { err: loggedError, error: loggedError },
    formatters: {
      level: (label) => ({ level: label }),
      log: redactFields,
    },
    redact: { paths: [...SENSITIVE_PATHS], censor: REDACTED },
    hooks: { streamWrite: redactText },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}

/** Errors of the database carry values of their statement: texts, numbers, sealed secrets. */
function loggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { parameters: _, driverError: __, detail: ___, where: ____, ...rest } = pino.stdSerializers.err(error);
  return rest;
}
