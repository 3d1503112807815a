import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Path of a file inside an installed package, also where the package's `exports` does not name it. */
export function packageFile(packageName: string, path: string): string {
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const candidate = join(folder, packageName, path);
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`${packageName}/${path} is not installed`);
}
