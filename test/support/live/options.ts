/** OPTIONS outside a dialog: how a peer asks whether a node takes calls. */
import type { Phone } from '../phone/phone';
import { headerOf, token, writeSip } from '../phone/sip-text';

export interface OptionsAnswer {
  /** 408 when none came. */
  readonly status: number;
  readonly retryAfter: string;
}

export function askOptions(phone: Phone, limitMs = 3_000): Promise<OptionsAnswer> {
  const { server } = phone.options;
  if (server === undefined) throw new Error('this phone has no server to ask');
  const uri = `sip:${server.address}:${server.port}`;
  const branch = `z9hG4bK${token()}`;
  const text = writeSip(`OPTIONS ${uri} SIP/2.0`, [
    ['Via', phone.via(branch)],
    ['Max-Forwards', '70'],
    ['From', `<sip:phone@${phone.address}>;tag=${token()}`],
    ['To', `<${uri}>`],
    ['Call-ID', `${token()}@phone.test`],
    ['CSeq', '1 OPTIONS'],
  ]);
  return new Promise((resolve) => {
    phone.transactions.request(text, branch, server, {
      timeoutMs: limitMs,
      onTimeout: () => resolve({ status: 408, retryAfter: '' }),
      onResponse: (response) => {
        if (response.status < 200) return;
        resolve({ status: response.status, retryAfter: headerOf(response, 'retry-after') });
      },
    });
  });
}
