import { newCall } from '../../../activities/new-call';
import type { DialCommand, DialOptions, DialResult } from '../../../contract/commands';
import { NodeServices } from '../../../media-node/node-services';
import { createLogger } from '../../../ops/logger';
import { createTemporalClient } from '../../../ops/temporal-client';
import { connectWorker, installRuntime } from '../../../ops/temporal-worker';
import { createDataSource } from '../../../store/data-source';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { SecretBox } from '../../../store/secrets';
import { FakeMediaControl, PEER_HANGUP } from '../../fakes/fake-media-control';
import { nodeActivities } from './node-activities';
import type { KillStep, NodeOrder, NodeProcessOptions, NodeReport } from './node-process';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeProcessOptions;
let plan: KillStep | null = null;

const report = (message: NodeReport): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, () => resolve());
  });

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

/** Dies at the step of a dial that was asked for. */
class MortalControl extends FakeMediaControl {
  override async dial(command: DialCommand, dialling: DialOptions): Promise<DialResult> {
    if (plan === 'kill_before_intended') await die();
    const result = await super.dial(command, {
      ...dialling,
      beforeSend: async () => {
        const sends = await dialling.beforeSend();
        if (plan === 'kill_after_intended') await die();
        return sends;
      },
    });
    await report({ invite: command.sipCallId });
    if (plan === 'kill_after_invite') await die();
    return result;
  }
}

async function main(): Promise<void> {
  const logger = createLogger({ name: options.nodeId, level: 'silent' });
  installRuntime(logger);
  const dataSource = await createDataSource({ url: options.databaseUrl }).initialize();
  const settings = { address: options.temporalAddress, namespace: options.namespace };
  const secrets = new SecretBox(options.secretsKey);
  const services = new NodeServices({
    ...options,
    listening: { hosts: ['127.0.0.1'], port: 5060, publicHost: null },
    maxBehindMs: 60_000,
    dataSource,
    secrets,
    client: createTemporalClient(settings).client,
    connectWorker: () => connectWorker(settings),
    ...nodeActivities({ dataSource, secrets, logger }),
    firstRow: newCall,
    onLost: () => void report({ lost: true }),
    logger,
  });
  await services.start();
  const control = new MortalControl(options.nodeId, options.bootId, services.events);
  control.onOver = (attemptId) => services.capacity.attemptOver(attemptId);
  await services.attach(control, { sipAddress: '127.0.0.1:5060', maxCalls: () => 100 });
  process.on('message', (order: NodeOrder) => {
    switch (order.do) {
      case 'inbound':
        control.inbound(order.callId, order.orgId, order.sipCallId);
        break;
      case 'answer':
        control.answer(order.callId);
        break;
      case 'hangup_by_peer':
        control.end(order.callId, PEER_HANGUP);
        break;
      case 'accept':
        plan = order.plan;
        services.accept(true);
        break;
    }
  });
  // Dies right after the attempt was marked as sent.
  const sent = Reflect.get(AttemptRepository.prototype, 'sent') as (attemptId: string) => Promise<boolean>;
  AttemptRepository.prototype.sent = async function (attemptId) {
    const done = await sent.call(this, attemptId);
    if (plan === 'kill_after_sent') await die();
    return done;
  };
  process.once('disconnect', () => process.exit(0));
  await report({ ready: true });
}

void main();
