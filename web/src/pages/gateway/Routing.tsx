import {
  Alert,
  Anchor,
  Code,
  Group,
  Paper,
  SimpleGrid,
  Skeleton,
  Text,
  Title,
} from '@mantine/core';
import { IconAlertTriangle, IconRoute } from '@tabler/icons-react';
import { Link } from 'wouter';
import type { GatewayCounts } from '@/bindings/GatewayCounts';
import { type Column, DataTable } from '@/components/DataTable';
import { Details } from '@/components/Details';
import { wholeList } from '@/components/list';
import { EmptyState, ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatCount } from '@/format';
import { countsText } from './counts';
import { ErrorText } from './ErrorText';
import { RoutingPage, Words } from './parts';
import { useEntryPoints, useGatewayOverview, useVersion } from './queries';
import classes from './Routing.module.css';
import type { EntryPointInfo, OverviewInfo } from './types';

const ENTRY_POINTS: Column<EntryPointInfo>[] = [
  {
    header: 'Entry point',
    nowrap: true,
    cell: ({ name }) => (
      <Text size="sm" fw={600}>
        {name}
      </Text>
    ),
  },
  { header: 'Address', cell: ({ address }) => <Code>{address}</Code> },
  { header: 'Note', width: '50%', cell: ({ note }) => note ?? '–' },
];

/** The gateway at a glance: where it listens, how much it knows, and what is wrong. */
export default function Routing() {
  const overview = useGatewayOverview();
  const { data, error } = overview;
  return (
    <RoutingPage lead="Where requests come in and where they go">
      {error && !data && <ErrorState error={error} retry={() => void overview.refetch()} />}
      {data && <Warnings warnings={data.warnings ?? []} />}
      {(data || !error) && <Counts overview={data} />}
      <section aria-labelledby="entry-points">
        <Title order={2} id="entry-points" mb="xs">
          Entry points
        </Title>
        <DataTable
          label="Entry points"
          list={wholeList(useEntryPoints())}
          columns={ENTRY_POINTS}
          rowKey={({ name }) => name}
          empty={<EmptyState icon={IconRoute} title="Nothing listens" />}
        />
      </section>
      {data && <Facts overview={data} />}
    </RoutingPage>
  );
}

function Warnings({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) {
    return null;
  }
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<IconAlertTriangle />}
      title={warnings.length === 1 ? 'A warning' : `${warnings.length} warnings`}
    >
      {warnings.map((text) => (
        <Text key={text} size="sm">
          <ErrorText text={text} />
        </Text>
      ))}
    </Alert>
  );
}

const NONE: GatewayCounts = { total: 0, warnings: 0, errors: 0 };

function Counts({ overview }: { overview: OverviewInfo | undefined }) {
  const http = overview?.http;
  const certificates = overview?.certificates;
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: certificates ? 4 : 3 }} spacing="sm">
      <Count title="Routers" href="/gateway/routers" counts={http && (http.routers ?? NONE)} />
      <Count title="Services" href="/gateway/services" counts={http && (http.services ?? NONE)} />
      <Count
        title="Middlewares"
        href="/gateway/middlewares"
        counts={http && (http.middlewares ?? NONE)}
      />
      {certificates && (
        <Count title="Certificates" href="/gateway/certificates" counts={certificates} />
      )}
    </SimpleGrid>
  );
}

interface CountProps {
  title: string;
  href: string;
  counts: GatewayCounts | undefined;
}

/** How many there are, and how many of them work. */
function Count({ title, href, counts }: CountProps) {
  return (
    <Paper withBorder p="md">
      <Anchor component={Link} href={href} size="sm" fw={600}>
        {title}
      </Anchor>
      {counts ? (
        <Group gap="0 var(--mantine-spacing-sm)" align="baseline">
          <Text fz="clamp(1.3rem, 6vw, 1.75rem)" fw={650} lh={1.3}>
            {formatCount(counts.total)}
          </Text>
          <Trouble title={title} href={href} counts={counts} />
        </Group>
      ) : (
        <Skeleton height={30} width={60} my={4} />
      )}
      {counts && <Bar {...counts} />}
    </Paper>
  );
}

function Trouble({ title, href, counts }: CountProps & { counts: GatewayCounts }) {
  const { errors, warnings } = counts;
  const text = countsText(counts);
  if (errors + warnings === 0) {
    return (
      <Text size="xs" c="dimmed">
        {text}
      </Text>
    );
  }
  return (
    <Anchor
      component={Link}
      href={`${href}?status=${errors > 0 ? 'disabled' : 'warning'}`}
      aria-label={`${title}: ${text}`}
      size="xs"
      c={errors > 0 ? 'red' : 'var(--mantine-color-text)'}
    >
      {text}
    </Anchor>
  );
}

/** The parts of a count as a bar; the words beside the number say the same. */
function Bar({ total, warnings, errors }: GatewayCounts) {
  const parts = [
    { name: 'good', count: total - warnings - errors },
    { name: 'warnings', count: warnings },
    { name: 'errors', count: errors },
  ];
  return (
    <div className={classes.bar} aria-hidden>
      {parts.map(
        ({ name, count }) =>
          count > 0 && <span key={name} data-part={name} style={{ flexGrow: count }} />,
      )}
    </div>
  );
}

function Facts({ overview: { providers, features } }: { overview: OverviewInfo }) {
  const { data: version } = useVersion();
  const { accessLog, metrics, tracing } = features as Record<string, unknown>;
  const startDate = version?.startDate ? Date.parse(version.startDate) : Number.NaN;
  return (
    <section aria-labelledby="gateway-facts">
      <Title order={2} id="gateway-facts" mb="xs">
        Configuration
      </Title>
      <Paper withBorder px="md" py="xs">
        <Details
          items={[
            ['Providers', <Words key="providers" words={providers} />],
            ['Metrics', metrics ? String(metrics) : 'off'],
            ['Access log', accessLog ? 'on' : 'off'],
            ['Tracing', tracing ? String(tracing) : 'off'],
            ['Version', version?.Version ?? '–'],
            ['Started', <Time key="started" ms={Number.isNaN(startDate) ? null : startDate} />],
          ]}
        />
      </Paper>
    </section>
  );
}
