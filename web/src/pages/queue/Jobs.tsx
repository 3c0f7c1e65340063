import { Badge, Group, Paper, Select, SimpleGrid, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useLocation, useParams, useSearchParams } from 'wouter';
import { get } from '@/api/client';
import type { JobSummary, Page as ListPage, QueueSummary } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge, stateColor } from '@/components/StatusBadge';
import { EmptyState, ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { JobDrawer } from './JobDrawer';
import { formatAttempts, formatJobCount, JOB_STATES, useQueues } from './queues';

const POLL_MS = 2000;

const COLUMNS: Column<JobSummary>[] = [
  { header: 'Job', cell: ({ kind }) => kind },
  {
    header: 'State',
    cell: ({ state, error }) => (
      <div>
        <StatusBadge state={state} />
        {error && state !== 'completed' && (
          <Text size="xs" c="dimmed" lineClamp={2} mt={2}>
            {error}
          </Text>
        )}
      </div>
    ),
  },
  { header: 'Queue', cell: ({ queue }) => queue },
  {
    header: 'Attempts',
    align: 'right',
    cell: formatAttempts,
  },
  { header: 'Created', cell: ({ created_ms }) => <Time ms={created_ms} /> },
  { header: 'Finished', cell: ({ finished_ms }) => <Time ms={finished_ms} /> },
];

/** Queues with their counts, and the jobs with one opened at the side. */
export default function Jobs() {
  const { id } = useParams<{ id?: string }>();
  const [, navigate] = useLocation();
  const [search, setSearch] = useSearchParams();
  const client = useQueryClient();
  const state = search.get('state') ?? '';
  const queue = search.get('queue') ?? '';
  const queues = useQueues(POLL_MS);
  const jobs = useList<JobSummary>(
    ['queue', 'jobs', state, queue],
    (before) => get<ListPage<JobSummary>>('/queue/jobs', { state, queue, before }),
    { pollMs: POLL_MS },
  );
  const filter = (name: string, value: string | null) =>
    setSearch((previous) => {
      const next = new URLSearchParams(previous);
      if (value) {
        next.set(name, value);
      } else {
        next.delete(name);
      }
      return next;
    });
  const suffix = search.size > 0 ? `?${search}` : '';

  return (
    <Page title="Jobs" lead="Work that is done later, and survives a restart">
      {queues.error && !queues.data ? (
        <ErrorState error={queues.error} retry={() => void queues.refetch()} />
      ) : (
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="sm">
          {queues.data?.map((entry) => (
            <QueueCard key={entry.name} queue={entry} />
          ))}
        </SimpleGrid>
      )}
      <Group gap="sm">
        <Select
          label="State"
          data={JOB_STATES}
          value={state || null}
          onChange={(value) => filter('state', value)}
          placeholder="All"
          clearable
          flex="1 1 8rem"
          maw={200}
        />
        <Select
          label="Queue"
          data={queues.data?.map(({ name }) => name) ?? []}
          value={queue || null}
          onChange={(value) => filter('queue', value)}
          placeholder="All"
          clearable
          flex="1 1 8rem"
          maw={200}
        />
      </Group>
      <DataTable
        label="Jobs"
        list={jobs}
        columns={COLUMNS}
        rowKey={(job) => job.id}
        rowHref={(job) => `/queue/jobs/${encodeURIComponent(job.id)}${suffix}`}
        empty={
          <EmptyState title={state || queue ? 'No job matches' : 'No jobs yet'}>
            {state || queue
              ? 'Choose another state or queue.'
              : 'Upload an HTML article to the bucket inbox, and its job appears here.'}
          </EmptyState>
        }
      />
      <JobDrawer
        id={id ?? null}
        onClose={() => {
          navigate(`/queue${suffix}`);
          void client.invalidateQueries({ queryKey: ['queue', 'jobs'] });
        }}
      />
    </Page>
  );
}

function QueueCard({ queue }: { queue: QueueSummary }) {
  const states = JOB_STATES.filter((state) => queue.counts[state] > 0);
  return (
    <Paper withBorder p="md">
      <Text fw={600} mb={6}>
        {queue.name}
      </Text>
      <Group gap={6}>
        {states.map((state) => (
          <Badge key={state} variant="light" color={stateColor(state)} tt="none" radius="sm">
            {formatJobCount(queue.counts[state], queue)} {state}
          </Badge>
        ))}
        {states.length === 0 && (
          <Text size="sm" c="dimmed">
            empty
          </Text>
        )}
      </Group>
    </Paper>
  );
}
