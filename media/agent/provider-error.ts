export type ProviderErrorCode =
  /** The provider cannot be used on this machine or with this configuration. */
  | 'unavailable'
  /** It took longer than it may. */
  | 'timeout'
  /** It answered with an error, or died. */
  | 'failed';

/** Failure of a speech or language provider. Messages never hold credentials, transcripts or request bodies. */
export class ProviderError extends Error {
  readonly provider: string;
  readonly code: ProviderErrorCode;

  constructor(provider: string, code: ProviderErrorCode, message: string, options?: ErrorOptions) {
    super(`${provider}: ${message}`, options);
    this.name = 'ProviderError';
    this.provider = provider;
    this.code = code;
  }
}
