import { uriHost } from './message/uri';

import type { TargetOfTrunk } from './out-of-dialog';

/** A trunk's server as a whole: Request-URI of what is asked of it and of nobody behind it. */
export function serverUri({ host, port, transport }: TargetOfTrunk): string {
  const at = port === null ? uriHost(host) : `${uriHost(host)}:${port}`;
  return `sip:${at}${transport === 'tcp' ? ';transport=tcp' : ''}`;
}
