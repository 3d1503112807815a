import type { DataSource } from 'typeorm';
import { configSince } from '../../store/config-changes';
import type { ConfigDelta } from '../../store/config-changes';
import type { SecretBox } from '../../store/secrets';

/** What a media node would be given that holds this version; 0: everything. */
export function readConfig(
  { dataSource, secrets }: { readonly dataSource: DataSource; readonly secrets: SecretBox },
  version = 0,
): Promise<ConfigDelta> {
  return configSince((text, values) => dataSource.query(text, [...values]), secrets, version);
}
