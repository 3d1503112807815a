import { parseAddress } from './address';
import { parseUri } from './uri';

interface RequestRoute {
  readonly requestUri: string;
  /** Values of Route, in order. */
  readonly routes: readonly string[];
  /** Whose host the request goes to. */
  readonly hop: string;
}

/**
 * How a request of a dialog finds its way (RFC 3261 §12.2.1.1). A strict router, one without `lr`, takes the Request-URI
 * for its own and the last Route for the target, so both are written where it looks (RFC 3261 §16.12.1.2).
 */
export function routeRequest(remoteTarget: string, routeSet: readonly string[]): RequestRoute {
  const [first, ...rest] = routeSet;
  if (first === undefined) return { requestUri: remoteTarget, routes: [], hop: remoteTarget };
  const hop = parseAddress(first)?.uri ?? '';
  const uri = parseUri(hop);
  // What cannot be read is handed back as it came, and judged by who wrote it.
  if (uri === null || uri.host === '' || uri.params.has('lr'))
    return { requestUri: remoteTarget, routes: routeSet, hop };
  return { requestUri: asRequestUri(hop), routes: [...rest, `<${remoteTarget}>`], hop };
}

/** Without what a Request-URI may not have: the method and the headers (RFC 3261 §19.1.1 table 1). */
function asRequestUri(uri: string): string {
  const at = uri.indexOf('@') + 1;
  const [host, ...params] = uri.slice(at).split('?', 1)[0]!.split(';');
  const kept = params.filter((param) => !/^\s*method\s*(?:=|$)/i.test(param));
  return uri.slice(0, at) + [host, ...kept].join(';');
}
