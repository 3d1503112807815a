/** Who is handed over, as far as the call knows of them. */
export interface HandedOver {
  /** As recorded: E.164 where it could be read as such; empty where none is known. */
  readonly number: string;
  /** The display name of From. */
  readonly name: string | null;
  /** They asked for privacy (RFC 3323 §4.2): nobody is told who they are. */
  readonly withheld: boolean;
  /** The number of ours that they called; null where we called them. */
  readonly calledNumber: string | null;
}
