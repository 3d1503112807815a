/** Text as a voice without a rich front end can say it: plain ASCII words, no markup, long digit strings one by one. */
const MAX_CHARACTERS = 1000;

export function speakableText(text: string): string {
  return (
    text
      .slice(0, MAX_CHARACTERS)
      .replace(/[‘’‛]/g, "'")
      .replace(/[“”„]/g, '"')
      .replace(/[–—]/g, ', ')
      .replace(/…/g, '...')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/https?:\/\/(www\.)?/gi, '')
      .replace(/[*_#`~<>|]/g, ' ')
      .replace(/&/g, ' and ')
      .replace(/%/g, ' percent')
      .replace(/@/g, ' at ')
      // Telephone numbers and references are said digit by digit; years and amounts stay numbers.
      .replace(/\+?\d{5,}/g, (digits) => digits.replace('+', '').split('').join(' '))
      .normalize('NFKD')
      .replace(/[^\x20-\x7e]/g, '')
      .replace(/\s+/g, ' ')
      .trim()
  );
}
