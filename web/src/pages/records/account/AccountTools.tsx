import { Badge, Button, Group, Paper, Stack, Title } from '@mantine/core';
import { IconKey, IconMailCheck, IconPasswordUser } from '@tabler/icons-react';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { useAction } from '@/components/actions';
import { Impersonate } from './Impersonate';
import { Sessions } from './Sessions';

interface AccountToolsProps {
  collection: Collection;
  record: RecordRow;
}

/** What can be done for an account, and where it is signed in. */
export function AccountTools({ collection, record }: AccountToolsProps) {
  const [impersonating, setImpersonating] = useState(false);
  const email = typeof record.email === 'string' ? record.email : '';
  const path = `/public/collections/${encodeURIComponent(collection.name)}`;
  const verification = useAction<void>({
    run: () => post(`${path}/request-verification`, { email }),
    done: () => `The verification mail to ${email} is on its way.`,
    refresh: [],
  });
  const reset = useAction<void>({
    run: () => post(`${path}/request-password-reset`, { email }),
    done: () => `The mail for a new password to ${email} is on its way.`,
    refresh: [],
  });
  const isAdministrator = collection.name === '_superusers';
  return (
    <Paper withBorder p="md">
      <Stack>
        <Group justify="space-between" gap="sm">
          <Group gap="xs">
            <Title order={2} size="h3">
              Account
            </Title>
            {!isAdministrator && (
              <Badge
                radius="sm"
                tt="none"
                variant="light"
                color={record.verified ? 'teal' : 'orange'}
              >
                {record.verified ? 'verified' : 'not verified'}
              </Badge>
            )}
          </Group>
          <Group gap="xs">
            {!isAdministrator && !record.verified && (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconMailCheck size={14} />}
                disabled={email === ''}
                loading={verification.isPending}
                onClick={() => verification.mutate()}
              >
                Send verification
              </Button>
            )}
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPasswordUser size={14} />}
              disabled={email === ''}
              loading={reset.isPending}
              onClick={() => reset.mutate()}
            >
              Send password reset
            </Button>
            {!isAdministrator && (
              <Button
                size="xs"
                variant="default"
                leftSection={<IconKey size={14} />}
                onClick={() => setImpersonating(true)}
              >
                Act as
              </Button>
            )}
          </Group>
        </Group>
        <Sessions collection={collection.name} id={record.id} />
      </Stack>
      <Impersonate
        opened={impersonating}
        onClose={() => setImpersonating(false)}
        collection={collection}
        record={record}
      />
    </Paper>
  );
}
