import { Text } from '@mantine/core';
import { Frame } from './Frame';

/** What somebody sees who comes before the administrator exists. */
export function SetupNeeded() {
  return (
    <Frame title="Set up mito">
      <Text mb="sm">
        There is no administrator yet. Open the one-time link that mito printed in the terminal when
        it started.
      </Text>
      <Text c="dimmed" size="sm">
        No link at hand? Restart mito for a new one, or run <code>mito admin create --email …</code>{' '}
        beside it.
      </Text>
    </Frame>
  );
}
