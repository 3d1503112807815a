/** Addresses that users give us to call: who may point where. */
import { isPrivateHost } from '../ops/private-host';
import { impossible, invalid } from './errors';

/** https always; http only where private targets are allowed. */
export function assertTargetUrl(path: string, url: string | null | undefined, allowPrivate: boolean): void {
  if (url === null || url === undefined) return;
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && !allowPrivate) throw invalid([{ path, message: 'must be an https URL' }]);
  if (!allowPrivate && isPrivateHost(parsed.hostname)) throw privateTarget(path);
}

export function assertTargetHost(path: string, host: string, allowPrivate: boolean): void {
  if (!allowPrivate && isPrivateHost(host)) throw privateTarget(path);
}

const privateTarget = (path: string): Error =>
  impossible('private_target', `${path} points at a private address, which this server does not allow`);
