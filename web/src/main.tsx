import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import '@mantine/spotlight/styles.layer.css';
import './global.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from '@/api/client';
import { watchSession } from '@/session/session';
import { App } from './app';
import { theme } from './theme';

const MAX_RETRIES = 2;

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refuses stays refused; only silence and overload are worth another try.
      retry: (count, error) =>
        count < MAX_RETRIES &&
        error instanceof ApiError &&
        (error.status === 0 || error.status >= 500),
      staleTime: 1000,
    },
  },
});
watchSession(client);

const colorScheme = localStorageColorSchemeManager({ key: 'mantine-color-scheme-value' });

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorScheme}>
          <ModalsProvider>
            <Notifications position="top-right" limit={4} />
            <App />
          </ModalsProvider>
        </MantineProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
