import { Box, Center, Paper, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useDocumentTitle } from '@/components/Page';
import { Logo } from '@/shell/Logo';

/** The page of somebody who is not signed in: one card in the middle. */
export function Frame({ title, children }: { title: string; children: ReactNode }) {
  useDocumentTitle(title);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Box w="100%" maw={420}>
        <Stack align="center" mb="lg">
          <Logo size={48} />
        </Stack>
        <Paper withBorder p={{ base: 'lg', xs: 'xl' }} radius="lg" shadow="sm">
          <Title order={1} size="h2" mb="md">
            {title}
          </Title>
          {children}
        </Paper>
      </Box>
    </Center>
  );
}
