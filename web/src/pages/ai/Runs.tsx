import { Badge, Code, Group, Paper, SimpleGrid, Tabs, Text } from '@mantine/core';
import { IconBrain } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { get } from '@/api/client';
import type { AiPipeline, AiRun, Page as ListPage } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState, ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatDuration } from '@/format';
import { RunDrawer } from './RunDrawer';
import { providers, workMs } from './run';

const POLL_MS = 3000;

const COLUMNS: Column<AiRun>[] = [
  { header: 'Document', cell: ({ bucket, key }) => `${bucket}/${key}` },
  {
    header: 'State',
    cell: ({ state, note }) => (
      <div>
        <StatusBadge state={state} />
        {note && (
          <Text size="xs" c="dimmed" lineClamp={2} mt={2}>
            {note}
          </Text>
        )}
      </div>
    ),
  },
  { header: 'Pipeline', cell: ({ pipeline }) => pipeline },
  { header: 'Provider', cell: (run) => providers(run).join(', ') || '–' },
  {
    header: 'Work',
    align: 'right',
    cell: (run) => (run.steps.length > 0 ? formatDuration(workMs(run)) : '–'),
  },
  { header: 'Started', cell: ({ created_ms }) => <Time ms={created_ms} /> },
];

/** What the pipelines have done, and which there are. */
export default function Runs() {
  const [opened, setOpened] = useState<string | null>(null);
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
            onOpen={({ id }) => setOpened(id)}
            empty={
              <EmptyState icon={IconBrain} title="No runs yet">
                A run starts when an object is put into a bucket that has a pipeline.
              </EmptyState>
            }
          />
          <RunDrawer
            run={runs.rows?.find(({ id }) => id === opened) ?? null}
            onClose={() => setOpened(null)}
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
          <Text fw={600}>{pipeline.name}</Text>
          <Text size="sm" c="dimmed" mb="xs">
            {pipeline.description}
          </Text>
          <Text size="sm" mb="xs">
            From the bucket <Code>{pipeline.bucket}</Code> to the collection{' '}
            <Code>{pipeline.collection}</Code>
            {pipeline.content_types.length > 0 && `, for ${pipeline.content_types.join(', ')}`}
          </Text>
          <Group gap={6} component="ol" p={0} m={0} style={{ listStyle: 'none' }}>
            {pipeline.steps.map((step, index) => (
              <li key={step}>
                <Badge variant="light" tt="none" radius="sm">
                  {index + 1}. {step}
                </Badge>
              </li>
            ))}
          </Group>
        </Paper>
      ))}
    </SimpleGrid>
  );
}
