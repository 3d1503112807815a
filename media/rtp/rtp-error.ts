export type RtpErrorCode = 'no_port' | 'bind_failed' | 'closed' | 'failed' | 'thread_lost';

/** The one error family of the RTP layer. */
export class RtpError extends Error {
  readonly code: RtpErrorCode;

  constructor(code: RtpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RtpError';
    this.code = code;
  }
}
