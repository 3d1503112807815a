/** Kamailio as the carrier that PBXs register with. Its absence skips a test, or fails it with `REQUIRE_PHONES=1`. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Credentials } from './phone/sip-text';
import { answersOptions } from './sip-probe';

export function hasKamailio(): boolean {
  try {
    execFileSync('kamailio', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['REQUIRE_PHONES'] === '1') throw new Error('Kamailio is required and missing');
    return false;
  }
}

export class Kamailio {
  readonly port: number;
  readonly #dir: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(port: number, dir: string) {
    this.port = port;
    this.#dir = dir;
    const file = join(dir, 'kamailio.cfg');
    // Bindings in memory alone: a restart forgets them. Processes in the foreground, as one group.
    const args = ['-DD', '-E', '-f', file, '-Y', dir, '-m', '32', '-M', '4'];
    this.#child = spawn('kamailio', args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
  }

  /**
   * Takes registrations of this user alone, and calls it by the Contact that it has registered. All other calls go to
   * `relayTo`, a port of this machine; default: nowhere.
   */
  static async start(port: number, credentials: Credentials, relayTo: number | null = null): Promise<Kamailio> {
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-kamailio-'));
    writeFileSync(join(dir, 'kamailio.cfg'), configuration(port, credentials, relayTo));
    const kamailio = new Kamailio(port, dir);
    const answers = await answersOptions(port, 10_000);
    if (answers) return kamailio;
    const output = kamailio.#output.slice(-3_000);
    await kamailio.stop();
    throw new Error(`Kamailio does not answer: ${output}`);
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      const exit = once(this.#child, 'exit');
      process.kill(-pid, 'SIGKILL');
      await exit;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function configuration(port: number, { username, password }: Credentials, relayTo: number | null): string {
  const elsewhere = relayTo === null ? 'sl_send_reply("404", "Not Found"); exit;' : `$du = "sip:127.0.0.1:${relayTo}";`;
  const modules = ['tm', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'usrloc', 'registrar', 'auth'];
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=2
listen=udp:127.0.0.1:${port}
disable_tcp=yes
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "min_expires", 60)
modparam("registrar", "max_expires", 300)
request_route {
    if (!mf_process_maxfwd_header("10")) exit;
    if (is_method("OPTIONS") && !has_totag()) { sl_send_reply("404", "Not Here"); exit; }
    if (is_method("REGISTER")) {
        if ($tU != "${username}") { sl_send_reply("403", "Forbidden"); exit; }
        if (!pv_www_authenticate("carrier.test", "${password}", "0")) { www_challenge("carrier.test", "1"); exit; }
        save("location");
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (loose_route() || t_check_trans() || !is_method("ACK")) t_relay();
        exit;
    }
    if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
    if (!lookup("location")) { ${elsewhere} }
    record_route();
    t_relay();
}
`;
}
