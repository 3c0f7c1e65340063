import { Anchor, Badge, Code, Group, Paper, SimpleGrid, Tabs, Text } from '@mantine/core';
import { IconBrain } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { get } from '@/api/client';
import type { AiPipeline, AiRun, Page as ListPage } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState, ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatDuration } from '@/format';

const POLL_MS = 3000;

const COLUMNS: Column<AiRun>[] = [
  {
    header: 'Document',
    cell: ({ bucket, key }) => (
      <Text span size="sm">
        {bucket}/{key}
      </Text>
    ),
  },
  {
    header: 'State',
    cell: ({ state, error }) => (
      <div>
        <StatusBadge state={state} />
        {error && (
          <Text size="xs" c="dimmed" lineClamp={2} mt={2}>
            {error}
          </Text>
        )}
      </div>
    ),
  },
  { header: 'Pipeline', cell: ({ pipeline }) => pipeline },
  { header: 'Provider', cell: ({ provider }) => provider },
  {
    header: 'Result',
    cell: ({ record }) =>
      record ? (
        <Anchor component={Link} href={`/records/contents/${encodeURIComponent(record)}`} size="sm">
          {record}
        </Anchor>
      ) : (
        '–'
      ),
  },
  {
    header: 'Took',
    align: 'right',
    cell: ({ duration_ms }) => (duration_ms === null ? '–' : formatDuration(duration_ms)),
  },
  { header: 'Started', cell: ({ created_ms }) => <Time ms={created_ms} /> },
];

/** What the pipelines have done, and which there are. */
export default function Runs() {
  const runs = useList<AiRun>(
    ['ai', 'runs'],
    (before) => get<ListPage<AiRun>>('/ai/runs', { before }),
    { pollMs: POLL_MS },
  );
  return (
    <Page title="AI" lead="Documents become cleaned, described records">
      <Tabs defaultValue="runs" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="runs">Runs</Tabs.Tab>
          <Tabs.Tab value="pipelines">Pipelines</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="runs">
          <DataTable
            label="Runs"
            list={runs}
            columns={COLUMNS}
            rowKey={({ id }) => id}
            empty={
              <EmptyState icon={IconBrain} title="No runs yet">
                A run starts when an object is put into a bucket that has a pipeline.
              </EmptyState>
            }
          />
        </Tabs.Panel>
        <Tabs.Panel value="pipelines">
          <Pipelines />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Pipelines() {
  const pipelines = useQuery({
    queryKey: ['ai', 'pipelines'],
    queryFn: async () => (await get<ListPage<AiPipeline>>('/ai/pipelines')).items,
  });
  if (pipelines.error) {
    return <ErrorState error={pipelines.error} retry={() => void pipelines.refetch()} />;
  }
  if (pipelines.data?.length === 0) {
    return (
      <EmptyState icon={IconBrain} title="No pipelines yet">
        The content starter brings one for the bucket inbox.
      </EmptyState>
    );
  }
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      {pipelines.data?.map((pipeline) => (
        <Paper key={pipeline.name} withBorder p="md">
          <Group justify="space-between" mb="xs">
            <Text fw={600}>{pipeline.name}</Text>
            <Badge variant="light" tt="none" radius="sm">
              {pipeline.provider}
            </Badge>
          </Group>
          <Text size="sm">
            From{' '}
            <Code>
              {pipeline.bucket}/{pipeline.prefix ?? ''}
            </Code>{' '}
            to the collection <Code>{pipeline.collection}</Code>
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  );
}
