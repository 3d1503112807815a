import { PortInUseError, portProblem } from '../process/ports';
import type { PortProtocol } from '../process/ports';
import type { SupervisorConfig } from './config';

/** Throws `PortInUseError` for the first port of the configuration that something else holds. */
export async function checkPorts(config: SupervisorConfig): Promise<void> {
  const wanted: [variable: string, host: string, port: number, protocol: PortProtocol][] = [
    ['API_PORT', config.api.host, config.api.port, 'TCP'],
    ['MEDIA_HTTP_PORT', config.mediaHttp.host, config.mediaHttp.port, 'TCP'],
    ...config.sip.hosts.flatMap((host): [string, string, number, PortProtocol][] => [
      ['SIP_PORT', host, config.sip.port, 'UDP'],
      ['SIP_PORT', host, config.sip.port, 'TCP'],
    ]),
  ];
  for (const [variable, host, port, protocol] of wanted) {
    const problem = await portProblem(protocol, host, port);
    if (problem !== undefined) throw new PortInUseError(variable, host, port, protocol, problem);
  }
}
