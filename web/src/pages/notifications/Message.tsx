import { Code, Paper, Skeleton, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'wouter';
import { get } from '@/api/client';
import type { MailboxMessage } from '@/api/types';
import { Details } from '@/components/Details';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import classes from './Message.module.css';
import { mailDocument } from './mail-document';

/** One message as its reader would see it, as text, and with its headers. */
export default function Message() {
  const { id = '' } = useParams<{ id: string }>();
  const query = useQuery({
    queryKey: ['notifications', 'mail', id],
    queryFn: () => get<MailboxMessage>(`/notifications/mailbox/${encodeURIComponent(id)}`),
  });
  const mail = query.data;
  return (
    <Page
      title={mail ? mail.subject || '(no subject)' : 'Message'}
      crumbs={[{ label: 'Mailbox', href: '/notifications/mailbox' }]}
    >
      {query.error && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {!mail && !query.error && <Skeleton height={300} />}
      {mail && (
        <>
          <Details
            items={[
              ['From', mail.from],
              ['To', mail.to],
              ['Sent', <Time key="time" ms={mail.created_ms} />],
            ]}
          />
          <Tabs defaultValue={mail.html ? 'html' : 'text'} keepMounted={false}>
            <Tabs.List>
              {mail.html && <Tabs.Tab value="html">Message</Tabs.Tab>}
              <Tabs.Tab value="text">Text</Tabs.Tab>
              <Tabs.Tab value="headers">Headers</Tabs.Tab>
            </Tabs.List>
            {mail.html && (
              <Tabs.Panel value="html" pt="md">
                <Paper withBorder className={classes.paper}>
                  {/* No scripts, no own origin, nothing fetched: only links that open a new tab. */}
                  <iframe
                    title="Message"
                    className={classes.frame}
                    sandbox="allow-popups allow-popups-to-escape-sandbox"
                    referrerPolicy="no-referrer"
                    srcDoc={mailDocument(mail.html)}
                  />
                </Paper>
              </Tabs.Panel>
            )}
            <Tabs.Panel value="text" pt="md">
              {mail.text ? (
                <Paper withBorder p="md">
                  <Text style={{ whiteSpace: 'pre-wrap' }} size="sm">
                    {mail.text}
                  </Text>
                </Paper>
              ) : (
                <Text c="dimmed">This message has no text part.</Text>
              )}
            </Tabs.Panel>
            <Tabs.Panel value="headers" pt="md">
              <Code block style={{ whiteSpace: 'pre-wrap' }}>
                {mail.headers}
              </Code>
            </Tabs.Panel>
          </Tabs>
        </>
      )}
    </Page>
  );
}
