/** The workflows as a worker runs them. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { testServers } from '../../support/servers';

let bundle: Promise<{ codePath: string }> | undefined;

/** Made once a run, by the first file that needs it; files that begin together may both make it. */
export function workflowBundle(): Promise<{ codePath: string }> {
  bundle ??= makeBundle(join(testServers().folder, 'workflow-bundle.js'));
  return bundle;
}

async function makeBundle(codePath: string): Promise<{ codePath: string }> {
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(__dirname, '../../../workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const part = `${codePath}.${process.pid}`;
  writeFileSync(part, code);
  renameSync(part, codePath);
  return { codePath };
}
