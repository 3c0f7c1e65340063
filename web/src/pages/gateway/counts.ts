import type { GatewayCounts } from '@/bindings/GatewayCounts';

/** How many of them do not work, in words. */
export function countsText({ total, warnings, errors }: GatewayCounts): string {
  if (total === 0) {
    return 'none';
  }
  const parts = [
    errors > 0 && `${errors} ${errors === 1 ? 'error' : 'errors'}`,
    warnings > 0 && `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'all work';
}
