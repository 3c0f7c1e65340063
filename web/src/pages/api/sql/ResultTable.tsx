import { Button, Paper, Text } from '@mantine/core';
import { useState } from 'react';
import classes from './ResultTable.module.css';

export interface SqlResult {
  /** In milliseconds. */
  execTime: number;
  affectedRows: number;
  columns: { name: string; type: string; nullable: boolean }[] | null;
  rows: unknown[][] | null;
}

/** More rows make the browser slow before they help anybody. */
const STEP = 200;

/** The rows of a result, a few hundred at a time. */
export function ResultTable({ result }: { result: SqlResult }) {
  const [shown, setShown] = useState(STEP);
  const columns = result.columns ?? [];
  const rows = result.rows ?? [];
  return (
    <Paper withBorder className={classes.frame} tabIndex={0} role="region" aria-label="Result">
      <table className={classes.table}>
        <thead>
          <tr>
            {columns.map(({ name, type }, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat, places do not
              <th key={place} scope="col">
                {name}{' '}
                <Text span size="xs" c="dimmed" fw={400}>
                  {type.toLowerCase()}
                </Text>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have no name
            <tr key={line}>
              {row.map((value, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have no name
                <td key={place} data-empty={value === null || undefined}>
                  {cell(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <Button variant="subtle" size="xs" m="xs" onClick={() => setShown(shown + STEP)}>
          Show more of {rows.length}
        </Button>
      )}
    </Paper>
  );
}

const SHOWN_LENGTH = 300;

function cell(value: unknown): string {
  if (value === null) {
    return 'NULL';
  }
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
