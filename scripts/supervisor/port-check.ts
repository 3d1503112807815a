import { isUnspecified } from '../../ops/address-scope';
import { EnvError } from '../../ops/env';
import { holdPort, portProblemOf } from '../process/ports';
import type { PortProblem, PortProtocol } from '../process/ports';
import type { SupervisorConfig } from './config';

interface Wanted {
  /** Its variables are `<name>_HOST` and `<name>_PORT`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: PortProtocol;
}

/**
 * Whether all that is configured can be listened on together: each is held until the last has been tried, so two of ours
 * that are the same in two spellings show too. Throws `EnvError` with every one that cannot.
 */
export async function checkPorts(
  config: Pick<SupervisorConfig, 'api' | 'mediaHttp' | 'workerHttp' | 'sip'>,
): Promise<void> {
  const { api, mediaHttp, workerHttp, sip } = config;
  const wanted: Wanted[] = [
    { name: 'API', ...api, protocol: 'TCP' },
    { name: 'MEDIA_HTTP', ...mediaHttp, protocol: 'TCP' },
    { name: 'WORKER_HTTP', ...workerHttp, protocol: 'TCP' },
    ...sip.hosts.flatMap((host): Wanted[] => [
      { name: 'SIP', host, port: sip.port, protocol: 'UDP' },
      { name: 'SIP', host, port: sip.port, protocol: 'TCP' },
    ]),
  ];
  const problems = new Set<string>();
  const held: (() => void)[] = [];
  for (const { name, host, port, protocol } of wanted) {
    try {
      held.push(await holdPort(protocol, host, port));
    } catch (error) {
      const problem = portProblemOf(error);
      // A machine without IPv6 serves the other wildcard alone.
      if (problem === 'no_address' && isUnspecified(host) && sip.hosts.length > 1) continue;
      problems.add(told({ name, host, port, protocol }, problem));
    }
  }
  for (const release of held) release();
  if (problems.size > 0) throw new EnvError([...problems]);
}

function told({ name, host, port, protocol }: Wanted, problem: PortProblem): string {
  const where = `${protocol} port ${port} on ${host}`;
  switch (problem) {
    case 'taken':
      return `${name}_PORT: ${where} is in use by another program; set ${name}_PORT to a free one`;
    case 'forbidden':
      return `${name}_PORT: ${where} may not be used by this user; set ${name}_PORT to a free one`;
    case 'no_address':
      return `${name}_HOST: ${host} is no address of this machine`;
  }
}
