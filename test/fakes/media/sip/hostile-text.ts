import fc from 'fast-check';

/** Any text of a user, rich in what ends a line, a quotation or a message in some reader's eyes. */
export function hostileText(length: { readonly minLength?: number; readonly maxLength: number }): fc.Arbitrary<string> {
  return fc.string({ unit: fc.oneof(ANY, MARKS, MESSAGE), ...length });
}

const ANY = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
/** U+010D and U+010A end in the bytes of CR and LF. */
const ENDS_OF_LINES = ['\r\n', '\u010d\u010a', '\r', '\n', '\0', '\x85', '\u2028', '\u2029'];
const MARKS = fc.constantFrom(...ENDS_OF_LINES, '\t', ' ', ':', '"', '\\', '<', '>', ';', '@', '\ud800', 'é');
const MESSAGE = fc.constantFrom(
  '\u010d\u010aVia: SIP/2.0/TCP evil\u010d\u010a\u010d\u010aINVITE sip:+1900@evil SIP/2.0\u010d\u010a',
);
