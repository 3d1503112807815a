/** A media node's configuration in a process of its own, which can be stopped and killed; see `ConfigFollower`. */
import { ConfigCache } from '../../../media-node/config-cache';
import { createLogger } from '../../../ops/logger';
import { SecretBox } from '../../../store/secrets';
import { viewOf } from '../../support/config-view';
import type { FollowerOptions, FollowerOrder, FollowerReport } from './config-follower';

const { databaseUrl, secretsKey } = JSON.parse(process.argv[2] ?? '{}') as FollowerOptions;
const report = (message: FollowerReport): unknown => process.send?.(message);

const cache = new ConfigCache({
  databaseUrl,
  secrets: new SecretBox(secretsKey),
  onApplied: (version) => report({ version }),
  onOutboundTrunks: () => undefined,
  onTrunkRevoked: () => undefined,
  logger: createLogger({ name: 'follower', level: 'silent' }),
});
process.on('message', ({ universe }: FollowerOrder) => report({ view: viewOf(cache.snapshot, universe) }));
process.on('disconnect', () => process.exit());
void cache.start();
