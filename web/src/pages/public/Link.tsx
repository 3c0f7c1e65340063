import { Alert, Text } from '@mantine/core';
import { IconCircleCheck, IconLinkOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useParams } from 'wouter';
import { Frame } from '@/session/Frame';
import { type LinkToken, readToken } from './token';

interface LinkPageProps {
  title: string;
  children: (token: string, read: LinkToken) => ReactNode;
}

/** The page of a link from a mail; says so when the link is no good. */
export function LinkPage({ title, children }: LinkPageProps) {
  const { token = '' } = useParams<{ token: string }>();
  const read = readToken(token, Date.now());
  return (
    <Frame title={title}>
      {read && !read.isOver ? (
        children(token, read)
      ) : (
        <Alert color="orange" variant="light" icon={<IconLinkOff />} role="alert">
          <Text size="sm">
            {read
              ? 'This link is too old. Ask for another one.'
              : 'This link is not complete. Copy the whole address from the mail.'}
          </Text>
        </Alert>
      )}
    </Frame>
  );
}

/** It has worked. */
export function Done({ children }: { children: ReactNode }) {
  return (
    <Alert color="teal" variant="light" icon={<IconCircleCheck />} role="status">
      <Text size="sm">{children}</Text>
    </Alert>
  );
}
