import type { AddressSet } from '../../../contract/directory';

/** Who a request was authenticated as. */
export interface SipIdentity {
  readonly trunkId: string;
  readonly orgId: string;
  readonly username: string;
  /** Where all requests of its calls must come from; default, and null: from anywhere. */
  readonly sources?: AddressSet | null;
  /** Of a carrier that we have registered with: the user of the Contact that it calls, whoever is called. */
  readonly registeredUser?: string;
}

export interface DigestCredentials extends SipIdentity {
  readonly password: string;
  /** Taken as well. */
  readonly previousPassword?: string;
}
