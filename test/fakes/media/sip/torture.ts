import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The messages of RFC 4475 and what we answer: a status, or null when nothing is answered. */
export interface TortureMessage {
  readonly file: string;
  readonly section: string;
  readonly status: number | null;
  readonly why: string;
}

export const TORTURE_MESSAGES: readonly TortureMessage[] = [
  { file: 'valid/wsinv', section: '3.1.1.1', status: 481, why: 'legal in all its white space, in a dialog we lack' },
  { file: 'valid/intmeth', section: '3.1.1.2', status: 501, why: 'the method is legal but unknown' },
  { file: 'valid/esc01', section: '3.1.1.3', status: 401, why: 'escapes in URIs are legal' },
  { file: 'valid/escnull', section: '3.1.1.4', status: 405, why: 'escaped NULs are legal; REGISTER is not served' },
  { file: 'valid/esc02', section: '3.1.1.5', status: 501, why: 'percent signs outside URIs escape nothing' },
  { file: 'valid/lwsdisp', section: '3.1.1.6', status: 200, why: 'no space is needed before <' },
  { file: 'valid/longreq', section: '3.1.1.7', status: 401, why: 'long values are legal' },
  { file: 'valid/dblreq', section: '3.1.1.8', status: 405, why: 'what follows Content-Length is not a second request' },
  { file: 'valid/semiuri', section: '3.1.1.9', status: 200, why: 'a semicolon belongs to the user part' },
  { file: 'valid/transports', section: '3.1.1.10', status: 200, why: 'unknown transports in lower Vias are legal' },
  { file: 'valid/mpart01', section: '3.1.1.11', status: 405, why: 'MESSAGE is not served' },
  { file: 'valid/unreason', section: '3.1.1.12', status: null, why: 'a response to nothing of ours' },
  { file: 'valid/noreason', section: '3.1.1.13', status: null, why: 'a response to nothing of ours' },
  { file: 'invalid/badinv01', section: '3.1.2.1', status: 400, why: 'stray separators in Via' },
  { file: 'invalid/clerr', section: '3.1.2.2', status: 400, why: 'Content-Length exceeds the datagram' },
  { file: 'invalid/ncl', section: '3.1.2.3', status: 400, why: 'negative Content-Length' },
  { file: 'invalid/scalar02', section: '3.1.2.4', status: 400, why: 'CSeq and Max-Forwards out of range' },
  { file: 'invalid/scalarlg', section: '3.1.2.5', status: null, why: 'a response with scalars out of range' },
  { file: 'invalid/quotbal', section: '3.1.2.6', status: 400, why: 'an open quote in To' },
  { file: 'invalid/ltgtruri', section: '3.1.2.7', status: 400, why: 'brackets around the Request-URI' },
  { file: 'invalid/lwsruri', section: '3.1.2.8', status: 400, why: 'white space in the Request-URI' },
  { file: 'invalid/lwsstart', section: '3.1.2.9', status: 400, why: 'several spaces in the start line' },
  { file: 'invalid/trws', section: '3.1.2.10', status: 400, why: 'trailing space on the start line' },
  { file: 'invalid/escruri', section: '3.1.2.11', status: 400, why: 'headers in the Request-URI' },
  { file: 'invalid/baddate', section: '3.1.2.12', status: 401, why: 'Date is not looked at' },
  { file: 'invalid/regbadct', section: '3.1.2.13', status: 405, why: 'REGISTER is not served' },
  { file: 'invalid/badaspec', section: '3.1.2.14', status: 200, why: 'spaces inside < > are forgiven' },
  { file: 'invalid/baddn', section: '3.1.2.15', status: 400, why: 'an unquoted comma in a display name' },
  { file: 'invalid/badvers', section: '3.1.2.16', status: 505, why: 'SIP/7.0' },
  { file: 'invalid/mismatch01', section: '3.1.2.17', status: 400, why: 'CSeq names another method' },
  { file: 'invalid/mismatch02', section: '3.1.2.18', status: 501, why: 'the method is unknown in the first place' },
  { file: 'invalid/bigcode', section: '3.1.2.19', status: null, why: 'a status beyond three digits' },
  { file: 'invalid/badbranch', section: '3.2.1', status: 200, why: 'a bare cookie is treated like no branch' },
  { file: 'invalid/insuf', section: '3.3.1', status: 400, why: 'From, To and Call-ID are missing' },
  { file: 'invalid/unkscm', section: '3.3.2', status: 416, why: 'unknown scheme' },
  { file: 'invalid/novelsc', section: '3.3.3', status: 416, why: 'known but foreign scheme' },
  { file: 'invalid/unksm2', section: '3.3.4', status: 405, why: 'schemes of From and To do not matter; REGISTER' },
  { file: 'invalid/bext01', section: '3.3.5', status: 420, why: 'unknown extensions required' },
  { file: 'invalid/invut', section: '3.3.6', status: 415, why: 'a body of unknown type' },
  { file: 'invalid/regaut01', section: '3.3.7', status: 405, why: 'REGISTER is not served' },
  { file: 'invalid/multi01', section: '3.3.8', status: 400, why: 'single headers repeated' },
  { file: 'invalid/mcl01', section: '3.3.9', status: 400, why: 'two Content-Lengths' },
  { file: 'invalid/bcast', section: '3.3.10', status: null, why: 'a response to a broadcast Via' },
  { file: 'invalid/zeromf', section: '3.3.11', status: 200, why: 'an endpoint serves Max-Forwards 0' },
  { file: 'invalid/cparam01', section: '3.3.12', status: 405, why: 'REGISTER is not served' },
  { file: 'invalid/cparam02', section: '3.3.13', status: 405, why: 'REGISTER is not served' },
  { file: 'invalid/regescrt', section: '3.3.14', status: 405, why: 'REGISTER is not served' },
  { file: 'invalid/sdp01', section: '3.3.15', status: 406, why: 'the caller accepts no SDP' },
  {
    file: 'invalid/inv2543',
    section: '3.4.1',
    status: 401,
    why: 'an INVITE of RFC 2543 without branch, tag or Contact',
  },
  { file: 'invalid/test', section: 'archive', status: 400, why: 'no version in the request line' },
];

export function tortureBytes(file: string): Buffer {
  return readFileSync(join(__dirname, '../../../fixtures/rfc4475', `${file}.dat`));
}
