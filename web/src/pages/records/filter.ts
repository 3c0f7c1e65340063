/** Searches as expressions of the filter language. */

/** A string literal of the filter language. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Words that must all occur, each in any of the fields. */
export function searchFilter(text: string, fields: string[]): string {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => `(${fields.map((field) => `${field} ~ ${quote(word)}`).join(' || ')})`)
    .join(' && ');
}
