import { readFileSync } from 'node:fs';
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';
import { childProcesses } from '../../../support/child-processes';

const SECRET = 'only-for-the-node-itself';
const onLinux = process.platform === 'linux' ? test : test.skip;

function environmentsOfChildren(): string[] {
  return childProcesses(/flite-process/).map((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8'));
}

onLinux('the process that speaks knows none of the node’s secrets', async () => {
  process.env['SECRETS_KEY'] = SECRET;
  const tts = new FliteTts();
  try {
    await tts.start();
    const environments = environmentsOfChildren();
    expect(environments.some((text) => text.includes('NODE_CHANNEL_FD'))).toBe(true);
    expect(environments.filter((text) => text.includes(SECRET))).toEqual([]);
  } finally {
    delete process.env['SECRETS_KEY'];
    await tts.close();
  }
});
