import { sdpOf } from '../../../../../media/sip/message/body';
import { SipResponse } from '../../../../../media/sip/message/message';
import { parseMessage } from '../../../../../media/sip/message/parser';
import { contactUri } from '../../../../../media/sip/message/validation';
import { CoreResponse } from '../../../../../media/sip/sipjs-messages';
import { MALFORMED_RESPONSES, SOUND_RESPONSE } from '../../../../fakes/media/sip/malformed-responses';

function read(text: string): SipResponse {
  const message = parseMessage(Buffer.from(text, 'latin1'));
  if (!(message instanceof SipResponse)) throw new Error('not a response');
  return message;
}

describe('a response', () => {
  const sdp = sdpOf(read(SOUND_RESPONSE))!;

  it.each([{ name: 'nothing wrong', change: (text: string) => text }, ...MALFORMED_RESPONSES])(
    'with $name says what became of our request',
    ({ change }) => {
      const response = read(change(SOUND_RESPONSE));
      expect(response.issues).not.toContain('body_truncated');
      expect(response).toMatchObject({ status: 200, toTag: 'theirs' });
      expect(['a@b', '']).toContain(response.callId);
      expect(['mine', '']).toContain(response.fromTag);
      expect(response.branch).toBe('z9hG4bKours');
      expect(response.cseq).toEqual({ number: 3, method: 'INVITE' });
      expect(sdpOf(response)?.split(/\r?\n/)).toEqual(sdp.split('\r\n'));
      expect(contactUri(response)).toBe('sip:callee@192.0.2.9:5070');
    },
  );

  it.each([
    ['sip:callee@h:5070;+sip.instance="<urn:gsma:imei:35>";audio', 'sip:callee@h:5070'],
    ['garbage, <sip:callee@h>', 'sip:callee@h'],
    ['Callee, Inc <sip:callee@h>', 'sip:callee@h'],
    ['<sip:callee@h:0>', null],
    ['<sip:callee@h', null],
    ['*', null],
  ])('with the Contact %s has the remote target %s', (value, target) => {
    expect(contactUri(read(SOUND_RESPONSE.replace(/Contact: .*/, `Contact: ${value}`)))).toBe(target);
  });

  it('with an unreadable To is acknowledged with what we called, and its tag', () => {
    const response = read(SOUND_RESPONSE.replace('<sip:+1556@192.0.2.9>', '"<sip:+1556@192.0.2.9'));
    expect(new CoreResponse(response, 'sip:called@h').to.toString()).toBe('<sip:called@h>;tag=theirs');
  });
});
