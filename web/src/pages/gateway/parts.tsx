/** What the pages of the gateway's objects share. */

import { Alert, Anchor, Badge, Group, Paper, Skeleton, Tabs, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconRoute } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { Details } from '@/components/Details';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState, ErrorState } from '@/components/states';
import { ErrorText } from './ErrorText';
import { fullName, type Kind, objectHref, shortName } from './names';
import type { Described } from './types';

const TABS = [
  { href: '/gateway', label: 'Overview' },
  { href: '/gateway/routers', label: 'Routers' },
  { href: '/gateway/services', label: 'Services' },
  { href: '/gateway/middlewares', label: 'Middlewares' },
];

/** A page of routing, below the links to the others. */
export function RoutingPage({ lead, children }: { lead: ReactNode; children: ReactNode }) {
  const [path, navigate] = useLocation();
  return (
    <Page title="Routing" lead={lead}>
      <Tabs
        value={path}
        onChange={(href) => href && navigate(href)}
        activateTabWithKeyboard={false}
      >
        <Tabs.List>
          {TABS.map(({ href, label }) => (
            <Tabs.Tab key={href} value={href} px={{ base: 7, sm: 'md' }}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      {children}
    </Page>
  );
}

/** A state, and under it what is wrong. */
export function StateCell({ status, error }: Pick<Described, 'status' | 'error'>) {
  return (
    <div>
      <StatusBadge state={status} />
      {error?.map((text) => (
        <Text key={text} size="xs" c={status === 'disabled' ? 'red' : 'dimmed'} mt={2}>
          <ErrorText text={text} />
        </Text>
      ))}
    </div>
  );
}

/** Everything that is wrong with an object, in the gateway's words. */
export function Problems({ status, error }: Pick<Described, 'status' | 'error'>) {
  if (!error?.length) {
    return null;
  }
  const broken = status === 'disabled';
  return (
    <Alert
      color={broken ? 'red' : 'orange'}
      variant="light"
      icon={<IconAlertTriangle />}
      title={broken ? 'It does not work' : 'Warning'}
    >
      {error.map((text) => (
        <Text key={text} size="sm">
          <ErrorText text={text} />
        </Text>
      ))}
    </Alert>
  );
}

/** Words in frames. */
export function Words({ words }: { words: string[] | undefined }) {
  if (!words?.length) {
    return '–';
  }
  return (
    <Group gap={4} component="span">
      {words.map((word) => (
        <Badge key={word} variant="default" radius="sm" tt="none" fw={500} miw="max-content">
          {word}
        </Badge>
      ))}
    </Group>
  );
}

/** Objects by name, each leading to its page. */
export function ObjectLinks(props: { kind: Kind; names: string[] | undefined; provider: string }) {
  if (!props.names?.length) {
    return '–';
  }
  return (
    <Group gap="0.1rem 0.6rem" component="span">
      {props.names.map((name) => (
        <Anchor
          key={name}
          component={Link}
          href={objectHref(props.kind, fullName(name, props.provider))}
          size="sm"
        >
          {shortName(name, props.provider)}
        </Anchor>
      ))}
    </Group>
  );
}

interface ObjectPageProps<T> {
  kind: Kind;
  /** What one of them is called. */
  noun: string;
  name: string;
  query: { data: T | null | undefined; error: unknown; refetch: () => unknown };
  lead: (object: T) => ReactNode;
  children: (object: T) => ReactNode;
}

/** The page of one object, with its loading, error and missing states. */
export function ObjectPage<T extends Described>(props: ObjectPageProps<T>) {
  const { kind, noun, name, query, lead, children } = props;
  const { data, error } = query;
  const label = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
  return (
    <Page
      title={name}
      crumbs={[
        { label: 'Routing', href: '/gateway' },
        { label, href: `/gateway/${kind}` },
      ]}
      lead={data && lead(data)}
    >
      {Boolean(error) && <ErrorState error={error} retry={() => void query.refetch()} />}
      {data === undefined && !error && <Skeleton height={280} />}
      {data === null && (
        <EmptyState icon={IconRoute} title={`There is no ${noun} of this name`}>
          It may have been removed from the configuration. See{' '}
          <Anchor component={Link} href={`/gateway/${kind}`} size="sm" underline="always">
            all {kind}
          </Anchor>
          .
        </EmptyState>
      )}
      {data && (
        <>
          <Problems status={data.status} error={data.error ?? []} />
          {children(data)}
        </>
      )}
    </Page>
  );
}

/** The line under an object's name. */
export function ObjectLead({ status, children }: { status: string; children: ReactNode }) {
  return (
    <Group gap={8} mt={4}>
      <StatusBadge state={status} />
      <span>{children}</span>
    </Group>
  );
}

/** A titled frame on an object's page. */
export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Paper component="section" aria-label={title} withBorder px="md" py="sm">
      <Title order={2} mb={4}>
        {title}
      </Title>
      {children}
    </Paper>
  );
}

/** Which routers use an object, and who made it. */
export function UsedBy({ object }: { object: { usedBy?: string[]; provider: string } }) {
  const { usedBy, provider } = object;
  const routers = <ObjectLinks key="routers" kind="routers" names={usedBy} provider={provider} />;
  return (
    <Part title="Used by">
      <Details
        items={[
          ['Routers', routers],
          ['Provider', provider],
        ]}
      />
    </Part>
  );
}
