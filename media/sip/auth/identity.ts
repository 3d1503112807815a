/** Who a request was authenticated as. */
export interface SipIdentity {
  readonly trunkId: string;
  readonly orgId: string;
  readonly username: string;
}

export interface DigestCredentials extends SipIdentity {
  readonly password: string;
  /** Taken as well. */
  readonly previousPassword?: string;
}
