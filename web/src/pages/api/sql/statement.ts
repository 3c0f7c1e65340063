/** SQL as it is typed. */

const READING = /^(select|values|explain|with)\b/i;
const WRITING =
  /\b(insert|update|delete|replace|drop|alter|create|truncate|vacuum|reindex|attach|detach)\b/i;

/** The statement without comments and texts, so that its words can be looked at. */
function bare(sql: string): string {
  return sql
    .replace(/'(?:''|[^'])*'|"(?:""|[^"])*"|`[^`]*`|\[[^\]]*\]/g, ' x ')
    .replace(/--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, ' ')
    .trim();
}

/** Whether a statement may change something. */
export function isWriting(sql: string): boolean {
  const words = bare(sql);
  if (words === '') {
    return false;
  }
  const statements = words.split(';').map((part) => part.trim());
  return statements.some((part) => part !== '' && (!READING.test(part) || WRITING.test(part)));
}

const MAX_HISTORY = 50;

/** The history with one more statement: the newest first, each once. */
export function remember(history: string[], sql: string): string[] {
  const trimmed = sql.trim();
  return [trimmed, ...history.filter((one) => one !== trimmed)].slice(0, MAX_HISTORY);
}
