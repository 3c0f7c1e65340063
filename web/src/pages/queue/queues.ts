import { useQuery } from '@tanstack/react-query';
import { get } from '@/api/client';
import type { Page, QueueCounts } from '@/api/types';

/** The order in which states are shown. */
export const JOB_STATES = [
  'running',
  'available',
  'scheduled',
  'retryable',
  'completed',
  'discarded',
  'cancelled',
];

/** The queues with how many jobs are in each state. */
export function useQueues(pollMs: number) {
  return useQuery({
    queryKey: ['queue', 'queues'],
    queryFn: async () => (await get<Page<QueueCounts>>('/queue/queues')).items,
    refetchInterval: pollMs,
  });
}
