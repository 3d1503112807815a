import type { DataSource } from 'typeorm';
import { createMediaActivities } from '../../../activities/media/media-activities';
import { createTrunkCheckActivities } from '../../../activities/media/trunk-check-activities';
import { safeFailures } from '../../../activities/safe-failures';
import type { NodeServicesOptions } from '../../../media-node/node-services';
import type { Logger } from '../../../ops/logger';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import { DialFactsRepository } from '../../../store/repositories/dial-facts-repository';
import type { SecretBox } from '../../../store/secrets';

/** What a media node's process gives its services to run. */
export function nodeActivities(given: {
  readonly dataSource: DataSource;
  readonly secrets: SecretBox;
  readonly logger: Logger;
}): Pick<NodeServicesOptions, 'activities' | 'interceptors'> {
  const attempts = new AttemptRepository(given.dataSource);
  const calls = new CallRepository(given.dataSource);
  const dialFacts = new DialFactsRepository(given.dataSource);
  const { secrets, logger } = given;
  return {
    activities: (parts) => ({
      ...createMediaActivities({ ...parts, attempts, calls, dialFacts, secrets, logger }),
      ...createTrunkCheckActivities({ ...parts, calls, secrets, logger }),
    }),
    interceptors: { activity: [safeFailures] },
  };
}
