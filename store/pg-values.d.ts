/** Not among the driver's declared types. */
declare module 'pg/lib/utils' {
  /** A parameter as it goes to the server. @throws where a value's own conversion does */
  export function prepareValue(value: unknown): string | Buffer | null;
}
