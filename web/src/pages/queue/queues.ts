import { useQuery } from '@tanstack/react-query';
import { get } from '@/api/client';
import type { JobState, JobSummary, Page, QueueSummary } from '@/api/types';
import { formatCount } from '@/format';

/** The order in which states are shown. */
export const JOB_STATES: JobState[] = [
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
    queryFn: async () => (await get<Page<QueueSummary>>('/queue/queues')).items,
    refetchInterval: pollMs,
  });
}

/** Counts stop at a limit, which then means "at least". */
export function formatJobCount(count: number, { count_limit }: QueueSummary): string {
  return count >= count_limit ? `${formatCount(count_limit)}+` : formatCount(count);
}

/** How often a job has been tried, of how often it may be. */
export function formatAttempts({ attempts, max_attempts }: JobSummary): string {
  return max_attempts === null ? String(attempts) : `${attempts} of ${max_attempts}`;
}
