/** The server's messages about a collection, for the inputs that they belong to. */

import { Alert, List } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { createContext, useContext } from 'react';

export type SchemaErrors = Readonly<Record<string, string>>;

export const ErrorsContext = createContext<SchemaErrors>({});

/** The message at a path, such as `otp.length` or `field:KEY.name`. */
export function useErrorAt(path: string): string | undefined {
  return useContext(ErrorsContext)[path];
}

/** Whether any message lies below a path. */
export function hasErrorBelow(errors: SchemaErrors, prefix: string): boolean {
  return Object.keys(errors).some((path) => path === prefix || path.startsWith(`${prefix}.`));
}

/** All messages in one place: the tab of one may not be open. */
export function ErrorSummary({ errors, title }: { errors: SchemaErrors; title: string | null }) {
  const entries = Object.entries(errors);
  if (!title && entries.length === 0) {
    return null;
  }
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title} role="alert">
      <List size="sm">
        {entries.map(([path, message]) => (
          <List.Item key={path}>
            <b>{path.replace(/^field:[^.]+\./, 'field, ').replaceAll('.', ' › ')}</b>: {message}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
