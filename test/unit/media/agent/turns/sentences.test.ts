import fc from 'fast-check';
import { SentenceSplitter, splitSentences } from '../../../../../media/agent/turns/sentences';

describe('sentences', () => {
  test.each([
    ['Hello. How are you?', ['Hello.', 'How are you?']],
    ['One sentence', ['One sentence']],
    ['', []],
    ['  \n ', []],
    ['We charge $3.50 per item. Is that fine?', ['We charge $3.50 per item.', 'Is that fine?']],
    ['Dr. Smith is in. Please wait!', ['Dr. Smith is in.', 'Please wait!']],
    ['"Yes." he said.', ['"Yes."', 'he said.']],
    ['First line\nsecond line', ['First line', 'second line']],
    ['Wait... what?! Really', ['Wait...', 'what?!', 'Really']],
  ])('%j is cut into %j', (text, sentences) => {
    expect(splitSentences(text)).toEqual(sentences);
  });

  test('are given out as soon as something follows them', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('Hello')).toEqual([]);
    expect(splitter.push('.')).toEqual([]);
    expect(splitter.push(' How')).toEqual(['Hello.']);
    expect(splitter.flush()).toEqual(['How']);
  });

  test('that never end are cut at a comma before they get too long', () => {
    const [first, ...rest] = splitSentences(`${'word '.repeat(20)}, ${'more '.repeat(60)}`);
    expect(first!.endsWith(',')).toBe(true);
    for (const sentence of rest) expect(sentence.length).toBeLessThanOrEqual(220);
  });

  test('are the same however the text is portioned, and lose nothing', () => {
    const piece = fc.constantFrom('Hello', '. ', '? ', ', ', 'Mr.', ' ', 'a', '3.5', '\n', '!"', '…');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(8), { maxLength: 60 }), (pieces, cuts) => {
        const text = pieces.join('');
        const splitter = new SentenceSplitter();
        const sentences: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          sentences.push(...splitter.push(text.slice(at, at + cut)));
          at += cut;
        }
        sentences.push(...splitter.push(text.slice(at)), ...splitter.flush());
        expect(sentences).toEqual(splitSentences(text));
        expect(sentences.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
  });
});
