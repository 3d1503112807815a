import { createHash } from 'node:crypto';

import type { SipRequest } from '../../../../media/sip/message/message';

interface SeenCredentials {
  readonly proxy: boolean;
  readonly realm: string;
  readonly nonce: string;
  readonly nc: string;
  readonly right: boolean;
}

const md5 = (text: string): string => createHash('md5').update(text, 'latin1').digest('hex');

/** What challengers with MD5 and `auth` see in a request, computed as RFC 7616 §3.4.1 says and without code of ours. */
export function seenCredentials(request: SipRequest, password = 'pw'): SeenCredentials[] {
  return (['authorization', 'proxy-authorization'] as const).flatMap((header) =>
    request.lines(header).map((line) => {
      const param = (name: string): string =>
        new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).join('') ?? '';
      const secret = md5(`${param('username')}:${param('realm')}:${password}`);
      const target = md5(`${request.method}:${param('uri')}`);
      const middle = [param('nonce'), param('nc'), param('cnonce'), param('qop')].join(':');
      return {
        proxy: header === 'proxy-authorization',
        realm: param('realm'),
        nonce: param('nonce'),
        nc: param('nc'),
        right: param('uri') === request.requestUri && param('response') === md5(`${secret}:${middle}:${target}`),
      };
    }),
  );
}
