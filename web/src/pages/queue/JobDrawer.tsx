import { Alert, Button, Code, Drawer, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { get, post } from '@/api/client';
import type { JobDetail } from '@/api/types';
import { confirm, useAction } from '@/components/actions';
import { Details } from '@/components/Details';
import { StatusBadge } from '@/components/StatusBadge';
import { ErrorState, Json } from '@/components/states';
import { Time } from '@/components/Time';
import { formatTime } from '@/format';
import { formatAttempts } from './queues';

const POLL_MS = 2000;
const RETRYABLE = new Set(['retryable', 'scheduled', 'discarded', 'cancelled']);
const CANCELLABLE = new Set(['scheduled', 'available', 'retryable', 'running']);

/** One job in full, with what can be done about it. */
export function JobDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  return (
    <Drawer
      opened={id !== null}
      onClose={onClose}
      title="Job"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {id && <Job id={id} />}
    </Drawer>
  );
}

function Job({ id }: { id: string }) {
  const path = `/queue/jobs/${encodeURIComponent(id)}`;
  const query = useQuery({
    queryKey: ['queue', 'job', id],
    queryFn: () => get<JobDetail>(path),
    refetchInterval: POLL_MS,
  });
  const retry = useAction<void>({
    run: () => post(`${path}/retry`),
    done: () => 'The job will run again.',
    refresh: [['queue']],
  });
  const cancel = useAction<void>({
    run: () => post(`${path}/cancel`),
    done: () => 'The job is cancelled.',
    refresh: [['queue']],
  });
  const job = query.data;
  if (!job) {
    return query.error ? (
      <ErrorState error={query.error} retry={() => void query.refetch()} />
    ) : (
      <Stack aria-busy>
        <Skeleton height={24} width="50%" />
        <Skeleton height={160} />
      </Stack>
    );
  }
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={2}>{job.kind}</Title>
        <StatusBadge state={job.state} />
      </Group>
      {job.error && job.state !== 'completed' && (
        <Alert color="red" variant="light" title="Last error">
          {job.error}
        </Alert>
      )}
      <Details
        items={[
          ['Id', <Code key="id">{job.id}</Code>],
          ['Queue', job.queue],
          ['Attempts', formatAttempts(job)],
          ['Created', <Time key="created" ms={job.created_ms} />],
          ['Due', <Time key="due" ms={job.due_ms} />],
          ['Last attempt', <Time key="started" ms={job.started_ms} />],
          ['Finished', <Time key="finished" ms={job.finished_ms} />],
          ['Request', job.request_id && <Code key="request">{job.request_id}</Code>],
        ]}
      />
      <Group>
        {RETRYABLE.has(job.state) && (
          <Button
            leftSection={<IconRefresh size={16} />}
            loading={retry.isPending}
            onClick={() => retry.mutate()}
          >
            Run again now
          </Button>
        )}
        {CANCELLABLE.has(job.state) && (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} />}
            loading={cancel.isPending}
            onClick={() =>
              confirm({
                title: 'Cancel this job?',
                text: 'It will not run again unless somebody retries it.',
                verb: 'Cancel the job',
                onConfirm: () => cancel.mutate(),
              })
            }
          >
            Cancel
          </Button>
        )}
      </Group>
      <div>
        <Title order={3} mb="xs">
          Payload
        </Title>
        <Json value={job.payload} />
      </div>
      <div>
        <Title order={3} mb="xs">
          Log
        </Title>
        {job.log.length === 0 ? (
          <Text size="sm" c="dimmed">
            The job has logged nothing.
          </Text>
        ) : (
          <Code block>
            {job.log.map(({ at_ms, line }) => `${formatTime(at_ms)}  ${line}`).join('\n')}
          </Code>
        )}
      </div>
    </Stack>
  );
}
