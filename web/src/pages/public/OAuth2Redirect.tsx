import { Alert, Text } from '@mantine/core';
import { IconCircleX } from '@tabler/icons-react';
import { useEffect } from 'react';
import { Frame } from '@/session/Frame';
import { Done } from './Link';

/** Where a provider's window ends after it has told the application. */
export function OAuth2Success() {
  // A window that the application opened closes itself; others may not.
  useEffect(() => window.close(), []);
  return (
    <Frame title="Signed in">
      <Done>You can close this window and go back to the application.</Done>
    </Frame>
  );
}

/** Where a provider's window ends when it did not work. */
export function OAuth2Failure() {
  return (
    <Frame title="Not signed in">
      <Alert color="red" variant="light" icon={<IconCircleX />} role="alert">
        <Text size="sm">
          The provider did not sign you in. Close this window and try again in the application.
        </Text>
      </Alert>
    </Frame>
  );
}
