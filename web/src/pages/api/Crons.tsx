import { Button, Code, Text } from '@mantine/core';
import { IconClock, IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { get, post } from '@/api/client';
import { useAction } from '@/components/actions';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { describeCron } from './cron';

interface Cron {
  id: string;
  expression: string;
}

/** The platform's own tasks in words; their names are PocketBase's. */
const TASKS: Record<string, string> = {
  __pbDBOptimize__: 'Keep the database fast',
  __pbMFACleanup__: 'Forget second steps that expired',
  __pbOTPCleanup__: 'Forget one-time codes that expired',
  __pbLogsCleanup__: 'Delete old logs',
  __pbAutoBackup__: 'Make the scheduled backup',
};

const COLUMNS: Column<Cron>[] = [
  {
    header: 'Task',
    cell: ({ id }) => (
      <>
        <Text span size="sm" fw={600} display="block">
          {TASKS[id] ?? id}
        </Text>
        {TASKS[id] && (
          <Text span size="xs" c="dimmed">
            {id}
          </Text>
        )}
      </>
    ),
  },
  { header: 'Runs', cell: ({ expression }) => describeCron(expression) },
  { header: 'Expression', cell: ({ expression }) => <Code>{expression}</Code>, nowrap: true },
];

/** What runs by the clock. */
export default function Crons() {
  const crons = useQuery({ queryKey: ['crons'], queryFn: () => get<Cron[]>('/crons') });
  const run = useAction<string>({
    run: (id) => post(`/crons/${encodeURIComponent(id)}`),
    done: (id) => `${TASKS[id] ?? id}: started.`,
    refresh: [['crons']],
  });
  return (
    <Page title="Scheduled tasks" lead="Times are in UTC">
      <DataTable
        label="Scheduled tasks"
        list={wholeList(crons)}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowActions={({ id }) => (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconPlayerPlay size={14} />}
            aria-label={`Run now: ${TASKS[id] ?? id}`}
            loading={run.isPending && run.variables === id}
            onClick={() => run.mutate(id)}
          >
            Run now
          </Button>
        )}
        empty={
          <EmptyState icon={IconClock} title="Nothing is scheduled">
            <Text size="sm">Tasks of the platform and of your configuration appear here.</Text>
          </EmptyState>
        }
      />
    </Page>
  );
}
