/** Indexes as SQL statements, and their parts. */

export interface Index {
  name: string;
  unique: boolean;
  /** Column expressions as written: `name`, `email COLLATE NOCASE`. */
  columns: string[];
  where: string;
}

const STATEMENT =
  /^\s*create\s+(unique\s+)?index\s+(?:if\s+not\s+exists\s+)?(\S+)\s+on\s+(\S*)\s*\(([\s\S]*?)\)\s*(?:where\s+([\s\S]+?))?;?\s*$/i;

/** The parts of a statement; null for one that this cannot read. */
export function parseIndex(sql: string): Index | null {
  const found = STATEMENT.exec(balanced(sql));
  if (!found) {
    return null;
  }
  const [, unique, name = '', , columns = '', where = ''] = found;
  return {
    name: unquote(name),
    unique: Boolean(unique),
    columns: splitColumns(columns.replaceAll('\u0001', '(').replaceAll('\u0002', ')')),
    where: where.replaceAll('\u0001', '(').replaceAll('\u0002', ')').trim(),
  };
}

/** Hides inner parentheses, so that the first closing one ends the list of columns. */
function balanced(sql: string): string {
  let depth = 0;
  return sql.replace(/[()]/g, (one) => {
    if (one === '(') {
      depth += 1;
      return depth > 1 ? '\u0001' : one;
    }
    depth -= 1;
    return depth > 0 ? '\u0002' : one;
  });
}

function splitColumns(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const char of text) {
    depth += char === '(' ? 1 : char === ')' ? -1 : 0;
    if (char === ',' && depth === 0) {
      parts.push(current);
      current = '';
    } else {
      current += char;
    }
  }
  parts.push(current);
  return parts.map((part) => part.trim().replace(/^[`"[](\w+)[`"\]]/, '$1')).filter(Boolean);
}

function unquote(name: string): string {
  return name.replace(/^[`"[]|[`"\]]$/g, '');
}

/** The statement of an index on a table. */
export function buildIndex({ name, unique, columns, where }: Index, table: string): string {
  const list = columns.map((column) => column.replace(/^\w+(?=$|\s)/, (word) => `\`${word}\``));
  const head = `CREATE ${unique ? 'UNIQUE ' : ''}INDEX \`${name}\` ON \`${table}\` (${list.join(', ')})`;
  return where ? `${head} WHERE ${where}` : head;
}

/** A name for a new index. */
export function newIndexName(): string {
  return `idx_${crypto.randomUUID().replaceAll('-', '').slice(0, 10)}`;
}

/** The statement after a column got another name; one that this cannot read stays as it is. */
export function renameInIndex(sql: string, table: string, from: string, to: string): string {
  const index = parseIndex(sql);
  if (!index || from === '' || !mentions(index, from)) {
    return sql;
  }
  const word = new RegExp(`(?<![\\w'])${from.replace(/\W/g, '')}(?![\\w'])`, 'g');
  return buildIndex(
    {
      ...index,
      columns: index.columns.map((column) => column.replace(word, to)),
      where: index.where.replace(word, to),
    },
    table,
  );
}

/** Whether an index reads a column. */
export function mentions({ columns, where }: Index, column: string): boolean {
  const word = new RegExp(`(?<![\\w'])${column.replace(/\W/g, '')}(?![\\w'])`);
  return [...columns, where].some((part) => word.test(part));
}
