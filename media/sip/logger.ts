/** The part of pino that the SIP layer uses. */
export interface SipLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const noLogger: SipLogger = { info: () => {}, warn: () => {}, error: () => {} };
