import { Client } from 'pg';

/**
 * A connection whose statement got no answer in time is unusable: the statement may still run, the transaction around it
 * may still be open, and whoever got the connection from the pool next would run inside it. It is cut, which makes the
 * pool drop it and the server roll back.
 */
export class FailFastClient extends Client {
  // The base class has eight overloads; this passes through whatever was given.
  // oxlint-disable-next-line typescript/explicit-module-boundary-types
  override query(...parameters: any[]): any {
    const result: unknown = (super.query as (...all: unknown[]) => unknown).apply(this, parameters);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if ((error as Error).message === 'Query read timeout') this.connection.stream.destroy();
      });
    }
    return result;
  }
}
