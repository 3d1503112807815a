import { readdirSync, readFileSync } from 'node:fs';
import { FliteTts } from '../../../../media/agent/providers/flite/flite-tts';

const SECRET = 'only-for-the-node-itself';
const onLinux = process.platform === 'linux' ? test : test.skip;

function environmentsOfChildren(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return ''; // ended meanwhile
    }
  };
  const isChild = (pid: string): boolean => read(pid, 'status').includes(`\nPPid:\t${process.pid}\n`);
  return pids.filter(isChild).map((pid) => read(pid, 'environ'));
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
