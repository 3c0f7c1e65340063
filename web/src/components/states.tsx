/** What stands where there is nothing to show, or nothing could be loaded. */

import { Alert, Button, Code, Group, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconAlertTriangle, IconInbox } from '@tabler/icons-react';
import type { ComponentType, ReactNode } from 'react';
import { ApiError } from '@/api/client';

interface EmptyStateProps {
  title: string;
  children?: ReactNode;
  icon?: ComponentType<{ size?: number }>;
  action?: ReactNode;
}

/** Nothing here yet, and what to do about it. */
export function EmptyState({ title, children, icon: Icon = IconInbox, action }: EmptyStateProps) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" ta="center">
      <ThemeIcon size={48} radius="xl" variant="light" color="gray" aria-hidden>
        <Icon size={24} />
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      {children && (
        <Text component="div" c="dimmed" size="sm" maw={480}>
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}

/** What went wrong, in the server's words, and a way to try again. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, detail } = describe(error);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle />} title={title} role="alert">
      <Group justify="space-between" gap="sm">
        <Text size="sm">{detail}</Text>
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}

/** A title and a sentence for anything that may be thrown. */
export function describe(error: unknown): { title: string; detail: string } {
  if (error instanceof ApiError) {
    return { title: error.title, detail: error.message };
  }
  return { title: 'Error', detail: error instanceof Error ? error.message : String(error) };
}

/** A value as indented JSON. */
export function Json({ value }: { value: unknown }) {
  return <Code block>{JSON.stringify(value, null, 2)}</Code>;
}
