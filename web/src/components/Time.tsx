import { Text, Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { formatRelative, formatTime } from '@/format';

const TICK_MS = 10_000;

/** A moment relative to now, with the full time on pointing at it. */
export function Time({ ms }: { ms: number | null | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  if (ms === null || ms === undefined) {
    return (
      <Text span c="dimmed">
        –
      </Text>
    );
  }
  return (
    <Tooltip label={formatTime(ms)}>
      <time dateTime={new Date(ms).toISOString()} style={{ whiteSpace: 'nowrap' }}>
        {formatRelative(ms, Math.max(now, Math.min(ms, Date.now())))}
      </time>
    </Tooltip>
  );
}
