import type { AiRun } from '@/api/types';

/** Who worked on a run, each once. */
export function providers(run: AiRun): string[] {
  return [...new Set(run.steps.map(({ provider }) => provider).filter(Boolean))];
}

/** How long its steps took together. */
export function workMs(run: AiRun): number {
  return run.steps.reduce((sum, { duration_ms }) => sum + duration_ms, 0);
}
