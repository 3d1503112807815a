import { DialogTable, transactionKey } from '../../../../media/sip/dialog-table';
import { parseDtmfRelay } from '../../../../media/sip/dtmf-relay';
import { makeBranch } from '../../../../media/sip/message/branch';
import { SipRequest } from '../../../../media/sip/message/message';
import { parseMessage } from '../../../../media/sip/message/parser';
import { parseReason, q850Cause, reasonLine } from '../../../../media/sip/reason';

import type { RoutedDialog } from '../../../../media/sip/dialog-table';
import { leastCpuMs } from '../../../support/least-cpu';
import type { SipResponse } from '../../../../media/sip/message/message';

function request(method: string, headers: Record<string, string>, body = ''): SipRequest {
  const map = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
  return new SipRequest({ method, requestUri: 'sip:a@b', version: 'SIP/2.0' }, map, Buffer.from(body), []);
}

describe('INFO digits', () => {
  it.each([
    ['application/dtmf-relay', 'Signal=5\r\nDuration=160', '5'],
    ['application/dtmf-relay', 'Duration=1\nsignal = *', '*'],
    ['application/dtmf-relay; x=1', 'Signal=10', '*'],
    ['application/dtmf-relay', 'Signal=11\r\n', '#'],
    ['application/dtmf-relay', 'Signal= 15\r\nDuration= 160', 'D'],
    ['application/dtmf', 'd\r\n', 'D'],
    ['application/dtmf', 'Signal=8\r\nDuration=160\r\n', '8'],
    ['application/dtmf', 'Signal=#;Duration=160', '#'],
    ['application/dtmf', '11', '#'],
    ['application/dtmf-relay', '5', '5'],
    ['application/dtmf-relay', 'Signal="5"\r\nDuration="160"', '5'],
    ['application/dtmf-relay', 'signal = "*" ;Duration=160', '*'],
    ['application/dtmf', 'Signal=" 11 "', '#'],
    ['application/dtmf', '"d"\r\n', 'D'],
    ['application/dtmf-relay', 'Signal=""', null],
    ['application/dtmf-relay', 'Signal="5', null],
    ['application/dtmf-relay', 'Signal="5\r\n"', null],
    ['application/dtmf-relay', '16', null],
    ['application/dtmf-relay', '', null],
    ['application/dtmf-relay', 'Signal=hello', null],
    ['application/dtmf-relay', 'XSignal=5', null],
    ['application/dtmf', '21', null],
    ['application/dtmf-relay', 'Signal\n=5', null],
    ['text/plain', 'Signal=5', null],
  ])('%s %j is %s', (type, body, digit) => {
    expect(parseDtmfRelay(request('INFO', { 'content-type': type }, body))).toBe(digit);
  });

  it('takes no time for a long body', () => {
    const long = request('INFO', { 'content-type': 'application/dtmf-relay' }, '\n'.repeat(32_000));
    expect(parseDtmfRelay(long)).toBeNull();
    expect(leastCpuMs(() => parseDtmfRelay(long))).toBeLessThan(50);
  });
});

describe('Reason', () => {
  it('prefers Q.850, reads quoted texts and skips what it cannot read', () => {
    const message = request('BYE', {
      reason: 'foo;cause=1, SIP;cause=200;text="a, b", q.850 ;cause=16;text="Normal"',
    });
    expect(parseReason(message)).toEqual({ protocol: 'Q.850', cause: 16, text: 'Normal' });
    expect(q850Cause(message)).toBe(16);
    expect(parseReason(request('BYE', { reason: 'SIP;cause=200;text="a, b"' }))?.text).toBe('a, b');
    expect(parseReason(request('BYE', { reason: 'SIP' }))).toBeNull();
    expect(q850Cause(request('BYE', {}))).toBeNull();
  });

  it.each(['Q850', 'q850', ' Q850 '])('takes %j for Q.850', (name) => {
    const message = request('BYE', { reason: `SIP;cause=403, ${name};cause=21;text="Call Rejected"` });
    expect(parseReason(message)).toEqual({ protocol: 'Q.850', cause: 21, text: 'Call Rejected' });
  });

  it.each(['XQ850', 'Q8500', 'Q..850', 'Q'])('takes %j for nothing that it knows', (name) => {
    expect(parseReason(request('BYE', { reason: `${name};cause=21` }))).toBeNull();
  });

  it('is written on one line', () => {
    expect(reasonLine({ protocol: 'SIP', cause: 487, text: 'a "b"\r\nX: y' })).toBe(
      'Reason: SIP;cause=487;text="a \\"b\\"  X: y"',
    );
  });
});

describe('dialog table', () => {
  const via = 'SIP/2.0/UDP h:5060;branch=z9hG4bK1';
  const base = { via, from: '<sip:a@b>;tag=f', to: '<sip:c@d>', 'call-id': 'id', cseq: '1 INVITE' };

  it('puts ACK and CANCEL under their INVITE, and nothing else', () => {
    const key = transactionKey(request('INVITE', base));
    expect(transactionKey(request('ACK', { ...base, cseq: '1 ACK' }))).toBe(key);
    expect(transactionKey(request('CANCEL', { ...base, cseq: '1 CANCEL' }))).toBe(key);
    for (const other of [
      request('BYE', { ...base, cseq: '1 BYE' }),
      request('INVITE', { ...base, via: via.replace('bK1', 'bK2') }),
      request('INVITE', { ...base, via: via.replace('h:5060', 'i:5060') }),
    ]) {
      expect(transactionKey(other)).not.toBe(key);
    }
  });

  it('tells INVITEs of RFC 2543 apart by what they carry', () => {
    const old = { ...base, via: 'SIP/2.0/UDP h' };
    const key = transactionKey(request('INVITE', old));
    expect(transactionKey(request('ACK', { ...old, cseq: '1 ACK' }))).toBe(key);
    expect(transactionKey(request('INVITE', { ...old, 'call-id': 'other' }))).not.toBe(key);
    expect(transactionKey(request('INVITE', { ...old, cseq: '2 INVITE' }))).not.toBe(key);
  });

  it.each([
    ['both', 'id', 'local', true],
    ['no Call-ID', '', 'local', true],
    ['no From tag', 'id', '', true],
    ['neither', '', '', true],
    ['another Call-ID', 'other', 'local', false],
    ['another From tag', 'id', 'other', false],
  ])('finds the dialog of a response with %s by the branch that was ours', (_, callId, fromTag, found) => {
    const table = new DialogTable();
    const dialog = { sipCallId: 'id', localTag: 'local' } as RoutedDialog;
    table.addOutbound(dialog);
    const from = fromTag === '' ? '' : `From: <sip:a@h>;tag=${fromTag}\r\n`;
    const id = callId === '' ? '' : `Call-ID: ${callId}\r\n`;
    const text = `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=${makeBranch('local')}\r\n${from}${id}CSeq: 1 INVITE\r\n\r\n`;
    expect(table.ofResponse(parseMessage(Buffer.from(text)) as SipResponse)).toBe(found ? dialog : undefined);
    table.remove(dialog);
    expect(table.ofResponse(parseMessage(Buffer.from(text)) as SipResponse)).toBeUndefined();
  });

  it('finds a dialog by tag, transaction and identity until it is removed', () => {
    const table = new DialogTable();
    const dialog = { sipCallId: 'id', localTag: 'local' } as RoutedDialog;
    const invite = request('INVITE', base);
    table.addInbound(dialog, invite, 'key');
    expect(table.byTag('id', 'local')).toBe(dialog);
    expect(table.byTag('id', '')).toBeUndefined();
    expect(table.byTag('other', 'local')).toBeUndefined();
    expect(table.byInvite('key')).toBe(dialog);
    expect(table.isMerged(invite)).toBe(true);
    expect(table.all()).toEqual([dialog]);
    table.remove(dialog);
    table.remove(dialog);
    expect(table.size).toBe(0);
    expect(table.byTag('id', 'local')).toBeUndefined();
    expect(table.byInvite('key')).toBeUndefined();
    expect(table.isMerged(invite)).toBe(false);
  });
});
