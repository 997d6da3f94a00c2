/** The pages are in English, so figures and dates follow the reader's kind of English: no sentence in two languages. */
export function readerLocale(): string {
  const wanted = typeof navigator === 'undefined' ? [] : navigator.languages
  return wanted.find((language) => language === 'en' || language.startsWith('en-')) ?? 'en'
}
