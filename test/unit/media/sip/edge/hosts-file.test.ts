import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HostsFile } from '../../../../../media/sip/edge/hosts-file';
import { FakeClock } from '../../../../fakes/fake-clock';

describe('hosts file', () => {
  let folder: string;
  let path: string;
  let clock: FakeClock;
  let hosts: HostsFile;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hosts-'));
    path = join(folder, 'hosts');
    clock = new FakeClock();
    hosts = new HostsFile(clock, path);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('names addresses, several names an address and several addresses a name', () => {
    const lines = [
      '# a comment',
      '127.0.0.1\tlocalhost',
      '::1 localhost ip6-localhost # both families',
      '  192.0.2.5   PBX.example.com pbx',
      'fe80::1%lo0 localhost',
      'not-an-address name',
      '',
    ];
    writeFileSync(path, lines.join('\r\n'));
    expect(hosts.addresses('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(hosts.addresses('ip6-localhost')).toEqual(['::1']);
    expect(hosts.addresses('pbx.example.com')).toEqual(['192.0.2.5']);
    expect(hosts.addresses('pbx')).toEqual(['192.0.2.5']);
    for (const word of ['name', 'both', '#', 'comment', '']) expect(hosts.addresses(word)).toEqual([]);
  });

  it('is read again when it has changed, at most once a second, and may be missing', async () => {
    expect(hosts.addresses('pbx')).toEqual([]);
    writeFileSync(path, '192.0.2.5 pbx\n');
    expect(hosts.addresses('pbx')).toEqual([]);
    await clock.advance(1_000);
    expect(hosts.addresses('pbx')).toEqual(['192.0.2.5']);
    writeFileSync(path, '192.0.2.66 pbx\n');
    await clock.advance(1_000);
    expect(hosts.addresses('pbx')).toEqual(['192.0.2.66']);
    rmSync(path);
    await clock.advance(1_000);
    expect(hosts.addresses('pbx')).toEqual([]);
  });
});
