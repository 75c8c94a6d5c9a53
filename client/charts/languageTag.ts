// The chart library formats numbers in the browser's language when it is loaded, and fails where the browser
// names none that it knows ("en-US@posix" under a POSIX locale): then the whole page would stay empty. Imported
// before the library; all our own numbers are written in one way whatever the language.

try {
  new Intl.NumberFormat(navigator.language)
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true })
}
