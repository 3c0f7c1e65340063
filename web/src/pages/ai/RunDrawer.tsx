import { Alert, Anchor, Code, Drawer, Group, Stack, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import type { AiRun } from '@/api/types';
import { Details } from '@/components/Details';
import { StatusBadge } from '@/components/StatusBadge';
import { Time } from '@/components/Time';
import { formatDuration } from '@/format';
import { RecordLink } from '@/pages/records/RecordLink';

/** One run: its document, what each step did, and the record that came of it. */
export function RunDrawer({ run, onClose }: { run: AiRun | null; onClose: () => void }) {
  return (
    <Drawer
      opened={run !== null}
      onClose={onClose}
      title="Run"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {run && (
        <Stack>
          <Group justify="space-between">
            <Title order={2}>{run.key}</Title>
            <StatusBadge state={run.state} />
          </Group>
          {run.note && (
            <Alert variant="light" color={run.state === 'failed' ? 'red' : 'gray'}>
              {run.note}
            </Alert>
          )}
          <Details
            items={[
              ['Pipeline', run.pipeline],
              ['Bucket', run.bucket],
              ['Version', <Code key="etag">{run.etag}</Code>],
              [
                'Job',
                <Anchor
                  key="job"
                  component={Link}
                  href={`/queue/jobs/${encodeURIComponent(run.id)}`}
                  size="sm"
                >
                  {run.id}
                </Anchor>,
              ],
              [
                'Record',
                run.record ? (
                  <RecordLink key="record" collection={run.collection} id={run.record} />
                ) : (
                  'none'
                ),
              ],
              ['Started', <Time key="created" ms={run.created_ms} />],
              ['Finished', <Time key="finished" ms={run.finished_ms} />],
            ]}
          />
          <Title order={3}>Steps</Title>
          {run.steps.length === 0 ? (
            <Text size="sm" c="dimmed">
              None has run yet.
            </Text>
          ) : (
            <Details
              items={run.steps.map((step) => [
                step.name,
                <div key={step.name}>
                  {step.outcome}
                  <Text size="xs" c="dimmed">
                    {step.provider}, {formatDuration(step.duration_ms)}
                  </Text>
                </div>,
              ])}
            />
          )}
        </Stack>
      )}
    </Drawer>
  );
}
