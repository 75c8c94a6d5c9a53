// Text that was written elsewhere, such as a run's name, as it is shown in a terminal: characters that would steer it, end a line, or
// turn the direction of what follows are escaped as JSON escapes them, so that nobody can pass off a name as something else.

/** Controls of all kinds, line and paragraph separators, marks of direction. */
const steering = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

const escapeOf = (mark: string): string => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`

/** On one line, whatever is in it. */
export const onOneLine = (text: string): string => text.replaceAll(steering, escapeOf)

/** The same, with the line ends of a text of several lines. */
export const onLines = (text: string): string =>
  text.replaceAll(steering, (mark) => (mark === '\n' ? mark : escapeOf(mark)))
