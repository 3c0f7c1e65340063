import { Badge, Box, Tooltip } from '@mantine/core';
import classes from './StatusBadge.module.css';

const COLORS: Record<string, string> = {
  healthy: 'teal',
  completed: 'teal',
  delivered: 'teal',
  sent: 'teal',
  enabled: 'teal',
  up: 'teal',
  active: 'teal',
  published: 'teal',
  recorded: 'teal',
  running: 'blue',
  starting: 'blue',
  available: 'cyan',
  queued: 'gray',
  skipped: 'gray',
  scheduled: 'gray',
  waiting: 'gray',
  pending: 'gray',
  stopped: 'gray',
  cancelled: 'gray',
  retryable: 'orange',
  retrying: 'orange',
  warning: 'orange',
  unhealthy: 'red',
  discarded: 'red',
  failed: 'red',
  disabled: 'red',
  down: 'red',
  expired: 'red',
  missing: 'red',
};

/** The colour of a state; grey for one that this panel does not know. */
export function stateColor(state: string): string {
  return COLORS[state.toLowerCase()] ?? 'gray';
}

/** A state as a word in its colour. */
export function StatusBadge({ state }: { state: string }) {
  const color = stateColor(state);
  return (
    <Badge
      color={color}
      variant={color === 'gray' ? 'default' : 'light'}
      radius="sm"
      tt="none"
      fw={600}
      miw="max-content"
    >
      {state}
    </Badge>
  );
}

/** A state as a dot with its name for those who point at it or cannot see it. */
export function StateDot({ state, label }: { state: string; label: string }) {
  return (
    <Tooltip label={label}>
      <Box
        component="span"
        role="img"
        aria-label={label}
        className={classes.dot}
        data-busy={state === 'starting' || state === 'running' || undefined}
        bg={`${stateColor(state)}.6`}
      />
    </Tooltip>
  );
}
