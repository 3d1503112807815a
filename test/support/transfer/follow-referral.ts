/** A phone does what a REFER asks of it, as the transferee of RFC 5589 §7: it calls whom that names, in the place of their call. */
import type { Header } from '../phone/options';
import type { Phone } from '../phone/phone';
import type { PhoneCall } from '../phone/phone-call';
import { headerOf, uriOf, userOf } from '../phone/sip-text';
import type { SipText } from '../phone/sip-text';

/** Answers the new call; nothing is notified. @throws CallRefused */
export function followReferral(phone: Phone, refer: SipText): Promise<PhoneCall> {
  const [uri = '', query = ''] = uriOf(headerOf(refer, 'refer-to')).split('?');
  const headers = query.split('&').map((part): Header => {
    const [name = '', value = ''] = part.split('=');
    return [decodeURIComponent(name), decodeURIComponent(value)];
  });
  // Some phones have no user part in their Contact.
  const [, address = '', port = '5060'] = /^sip:(?:[^@]*@)?([^:;]+)(?::(\d+))?/.exec(uri) ?? [];
  return phone.call(userOf(uri), { server: { address, port: Number(port) }, headers });
}

/** And tells whoever has asked what came of it. */
export async function followAndTell(phone: Phone, call: PhoneCall, refer: SipText): Promise<PhoneCall> {
  const direct = await followReferral(phone, refer);
  await call.notifyReferred(200, 'OK', 'terminated;reason=noresource');
  return direct;
}
