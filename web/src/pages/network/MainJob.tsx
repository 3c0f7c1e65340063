import { Anchor, Group, Paper, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconArticle, IconBell, IconBrain, IconFileUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { Link } from 'wouter';
import { apiUrl, get, orNull, request } from '@/api/client';
import type {
  Delivery,
  DeliveryState,
  Page as ListPage,
  ObjectPage,
  QueueSummary,
  RecordPage,
  RecordRow,
} from '@/api/types';
import { Copyable } from '@/components/Copyable';
import { formatCount } from '@/format';
import { formatJobCount, useQueues } from '@/pages/queue/queues';
import { useServices } from './services';

const INBOX = 'inbox';
const INBOX_LIMIT = 500;
const DELIVERIES_LIMIT = 500;
const POLL_MS = 3000;

/** The way of an article through the platform, with how many are at each station. */
export function MainJob() {
  const inbox = useQuery({
    queryKey: ['objects', 'count', INBOX],
    queryFn: () =>
      orNull(get<ObjectPage>(`/objects/buckets/${INBOX}/objects`, { limit: INBOX_LIMIT })),
    refetchInterval: POLL_MS,
  });
  const contents = useQuery({
    queryKey: ['records', 'contents', 'count'],
    queryFn: () =>
      orNull(
        request<RecordPage<RecordRow>>(
          'GET',
          apiUrl('/collections/contents/records', { perPage: 1 }),
        ),
      ),
    refetchInterval: POLL_MS,
  });
  const deliveries = useQuery({
    queryKey: ['notifications', 'deliveries', 'count'],
    queryFn: () =>
      get<ListPage<Delivery>>('/notifications/deliveries', { limit: DELIVERIES_LIMIT }),
    refetchInterval: POLL_MS,
  });
  const queues = useQueues(POLL_MS);
  const objects = inbox.data?.items.length ?? 0;
  const missing = inbox.data === null || contents.data === null;

  return (
    <Stack gap="sm">
      <Text component="h2" fw={650} size="lg">
        The main job
      </Text>
      <SimpleGrid cols={{ base: 2, lg: 4 }} spacing="sm">
        <Station
          icon={IconFileUpload}
          title="Uploaded"
          href={`/objects/${INBOX}`}
          value={
            inbox.isPending ? null : inbox.data?.next ? `${INBOX_LIMIT}+` : formatCount(objects)
          }
          detail={
            inbox.data === null ? 'no bucket called inbox yet' : 'objects in the bucket inbox'
          }
        />
        <Station
          icon={IconBrain}
          title="Processed"
          href="/ai"
          {...jobStation(queues.data, 'ai-pipeline')}
        />
        <Station
          icon={IconArticle}
          title="Published"
          href="/records/contents"
          value={contents.isPending ? null : formatCount(contents.data?.totalItems ?? 0)}
          detail={contents.data === null ? 'no collection contents yet' : 'records in contents'}
        />
        <Station
          icon={IconBell}
          title="Delivered"
          href="/notifications/deliveries"
          {...deliveryStation(deliveries.data)}
        />
      </SimpleGrid>
      {missing && (
        <Text size="sm" c="dimmed">
          Import the content starter to create the collections, the bucket and the pipeline with a
          few public-domain texts.
        </Text>
      )}
      {!missing && inbox.data && objects === 0 && <HowToUpload />}
    </Stack>
  );
}

interface StationProps {
  icon: ComponentType<{ size?: number }>;
  title: string;
  href: string;
  /** `null` while it loads. */
  value: string | null;
  detail: string;
  trouble?: string | undefined;
}

function Station({ icon: Icon, title, href, value, detail, trouble }: StationProps) {
  return (
    <Paper withBorder p="md">
      <Group gap="xs" c="dimmed">
        <Icon size={18} />
        <Anchor component={Link} href={href} size="sm" fw={600}>
          {title}
        </Anchor>
      </Group>
      {value === null ? (
        <Skeleton height={30} width={60} my={4} />
      ) : (
        <Text fz="clamp(1.3rem, 6vw, 1.75rem)" fw={650} lh={1.3} ff="heading">
          {value}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {detail}
      </Text>
      {trouble && (
        <Text size="xs" c="red">
          {trouble}
        </Text>
      )}
    </Paper>
  );
}

/** The jobs of one queue as a station: how many are done, waiting and failed. */
function jobStation(queues: QueueSummary[] | undefined, name: string) {
  const queue = queues?.find((one) => one.name === name);
  if (!queue) {
    return { value: queues ? '0' : null, detail: 'no jobs yet' };
  }
  const { completed, running, available, scheduled, retryable, discarded } = queue.counts;
  const waiting = available + scheduled + retryable;
  return {
    value: formatJobCount(completed, queue),
    detail: `${formatCount(running)} running, ${formatCount(waiting)} waiting`,
    trouble: discarded > 0 ? `${formatCount(discarded)} failed for good` : undefined,
  };
}

/** The latest deliveries as a station. */
function deliveryStation(page: ListPage<Delivery> | undefined) {
  const count = (...states: DeliveryState[]) =>
    page?.items.filter(({ state }) => states.includes(state)).length ?? 0;
  const failed = count('failed');
  return {
    value: page ? `${formatCount(count('sent'))}${page.next ? '+' : ''}` : null,
    detail: `${formatCount(count('queued', 'retrying'))} waiting`,
    trouble: failed > 0 ? `${formatCount(failed)} failed for good` : undefined,
  };
}

function HowToUpload() {
  const { data: services } = useServices();
  const published = services?.find(({ name }) => name === 'minio')?.published;
  if (!published) {
    return null;
  }
  return (
    <Paper withBorder p="md">
      <Text size="sm" mb="xs">
        Upload an HTML article with any S3 client, or drop it on the bucket{' '}
        <Anchor component={Link} href={`/objects/${INBOX}`}>
          inbox
        </Anchor>
        :
      </Text>
      <Copyable text={`aws --endpoint-url http://${published} s3 cp article.html s3://${INBOX}/`} />
    </Paper>
  );
}
