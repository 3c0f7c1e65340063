import { Badge, Button, Group, Text, Title } from '@mantine/core';
import { IconDeviceLaptop, IconLogout } from '@tabler/icons-react';
import { confirm, useAction } from '@/components/actions';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { type AccountSession, endSessions, useSessions } from './queries';
import { deviceName } from './user-agent';

const COLUMNS: Column<AccountSession>[] = [
  {
    header: 'Device',
    cell: ({ userAgent, current, impersonator }) => (
      <Group gap="xs" component="span">
        <span title={userAgent}>{deviceName(userAgent)}</span>
        {current && (
          <Badge radius="sm" tt="none" variant="light">
            this one
          </Badge>
        )}
        {impersonator && (
          <Badge radius="sm" tt="none" variant="light" color="orange">
            by {impersonator}
          </Badge>
        )}
      </Group>
    ),
  },
  { header: 'Address', cell: ({ clientIP }) => clientIP || '–' },
  { header: 'Signed in with', cell: ({ method }) => method || '–' },
  { header: 'Since', cell: ({ created }) => <Time ms={parseTime(created)} /> },
  { header: 'Last used', cell: ({ used }) => <Time ms={parseTime(used)} /> },
  { header: 'Ends', cell: ({ expires }) => <Time ms={parseTime(expires)} /> },
];

/** Where an account is signed in, and how to end it. */
export function Sessions({ collection, id }: { collection: string; id: string }) {
  const sessions = useSessions(collection, id);
  const refresh = [['sessions', collection, id]];
  // Whoever asks keeps the session that asks.
  const here = sessions.data?.some(({ current }) => current) ?? false;
  const others = sessions.data?.filter(({ current }) => !current).length ?? 0;
  const end = useAction<string>({
    run: (session) => endSessions(collection, id, session),
    done: () => 'The session is ended.',
    refresh,
  });
  const endAll = useAction<void>({
    run: () => endSessions(collection, id),
    done: () => (here ? 'All other sessions are ended.' : 'All sessions are ended.'),
    refresh,
  });
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Title order={3} size="sm">
          Sessions
        </Title>
        {others > 0 && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="red"
            leftSection={<IconLogout size={14} />}
            loading={endAll.isPending}
            onClick={() =>
              confirm({
                title: here ? 'End all other sessions?' : 'End all sessions?',
                text: here
                  ? 'You are signed out everywhere but here.'
                  : 'The account is signed out everywhere and has to sign in again.',
                verb: here ? 'End all others' : 'End all',
                onConfirm: () => endAll.mutate(),
              })
            }
          >
            {here ? 'End all others' : 'End all'}
          </Button>
        )}
      </Group>
      <DataTable
        label="Sessions"
        list={wholeList(sessions)}
        columns={COLUMNS}
        rowKey={(session) => session.id}
        rowActions={(session) => (
          <Button
            size="compact-sm"
            variant="subtle"
            color="red"
            aria-label={`End the session of ${deviceName(session.userAgent)}`}
            onClick={() => end.mutate(session.id)}
          >
            End
          </Button>
        )}
        empty={
          <EmptyState icon={IconDeviceLaptop} title="Not signed in anywhere">
            <Text size="sm">Sessions appear here when the account signs in.</Text>
          </EmptyState>
        }
      />
    </div>
  );
}
