/** Values of fields as they are shown. */

import { Text } from '@mantine/core';

/** A value in a line of text. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') {
    return '–';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A value in a few lines at most. */
export function CellText({ value, lines = 2 }: { value: unknown; lines?: number }) {
  return (
    <Text span size="sm" lineClamp={lines}>
      {cellText(value)}
    </Text>
  );
}
