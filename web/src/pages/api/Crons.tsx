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

const COLUMNS: Column<Cron>[] = [
  { header: 'Task', cell: ({ id }) => id },
  { header: 'Runs', cell: ({ expression }) => describeCron(expression) },
  { header: 'Expression', cell: ({ expression }) => <Code>{expression}</Code>, nowrap: true },
];

/** What runs by the clock. */
export default function Crons() {
  const crons = useQuery({ queryKey: ['crons'], queryFn: () => get<Cron[]>('/crons') });
  const run = useAction<string>({
    run: (id) => post(`/crons/${encodeURIComponent(id)}`),
    done: (id) => `${id} is started.`,
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
            aria-label={`Run ${id} now`}
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
