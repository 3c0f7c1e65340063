import { Group, Paper, SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { formatDuration } from '@/format';
import classes from './Plots.module.css';
import { areaPath, ceiling, HEIGHT, linePath, stack, WIDTH } from './shapes';
import { CLASSES, type Point } from './traffic';

/** The last five minutes at a glance. */
export function Plots({ points }: { points: Point[] }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
      <Rate points={points} />
      <Durations points={points} />
      <Statuses points={points} />
    </SimpleGrid>
  );
}

interface PlotProps {
  title: string;
  /** What it is now. */
  value: string;
  /** What the top of the plot stands for. */
  top: string;
  /** Which colour is what. */
  legend?: [string, string][];
  children: ReactNode;
}

function Plot({ title, value, top, legend = [], children }: PlotProps) {
  return (
    <Paper component="figure" withBorder p="sm" m={0} className={classes.figure ?? ''}>
      <Group component="figcaption" justify="space-between" gap={4} wrap="nowrap" align="baseline">
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="sm" className={classes.value}>
          {value}
        </Text>
      </Group>
      <div className={classes.plot}>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title} over the last five minutes; now ${value}`}
        >
          {children}
        </svg>
        <div className={classes.scale} aria-hidden>
          <span>{top}</span>
          <span>0</span>
        </div>
      </div>
      <div className={classes.axis}>
        <span>5 min ago</span>
        <span>now</span>
      </div>
      {legend.length > 0 && (
        <div className={classes.legend}>
          {legend.map(([name, color]) => (
            <span key={name} className={classes.key} data-color={color}>
              {name}
            </span>
          ))}
        </div>
      )}
    </Paper>
  );
}

/** The last value of a step that is over, or else of the present one. */
function latest(values: (number | null)[]): number | null {
  return values.at(-2) ?? values.at(-1) ?? null;
}

function rateText(perSecond: number | null): string {
  if (perSecond === null) {
    return '–';
  }
  return perSecond >= 10 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}

function Rate({ points }: { points: Point[] }) {
  const values = points.map(({ perSecond }) => perSecond);
  const max = ceiling(values);
  return (
    <Plot title="Requests per second" value={rateText(latest(values))} top={String(max)}>
      <path className={classes.area} d={areaPath(values, max)} />
      <path className={classes.line} data-color="teal" d={linePath(values, max)} />
    </Plot>
  );
}

function Durations({ points }: { points: Point[] }) {
  const median = points.map(({ p50 }) => p50);
  const slow = points.map(({ p95 }) => p95);
  const max = ceiling(slow);
  const now = [latest(median), latest(slow)].map((ms) => (ms === null ? '–' : formatDuration(ms)));
  return (
    <Plot
      title="Duration"
      value={now.join(' / ')}
      top={formatDuration(max)}
      legend={[
        ['p50', 'teal'],
        ['p95', 'orange'],
      ]}
    >
      <path className={classes.line} data-color="orange" d={linePath(slow, max)} />
      <path className={classes.line} data-color="teal" d={linePath(median, max)} />
    </Plot>
  );
}

const COLORS: Record<number, string> = { 1: 'gray', 2: 'teal', 3: 'blue', 4: 'orange', 5: 'red' };

function Statuses({ points }: { points: Point[] }) {
  const columns = points.map((point) => point.classes);
  const sums = columns.map((values) => values.reduce((sum, value) => sum + value, 0));
  const max = ceiling(sums);
  const total = sums.reduce((sum, value) => sum + value, 0);
  const failed = columns.reduce((sum, values) => sum + (values[4] ?? 0), 0);
  const share = total > 0 ? `${((failed / total) * 100).toFixed(1)} % 5xx` : '–';
  const seen = CLASSES.filter((_, index) => columns.some((values) => (values[index] ?? 0) > 0));
  return (
    <Plot
      title="By status"
      value={share}
      top={String(max)}
      legend={seen.map((one) => [`${one}xx`, COLORS[one] ?? 'gray'])}
    >
      {stack(columns, max).map(({ key, series, ...place }) => (
        <rect key={key} className={classes.block} data-color={COLORS[series + 1]} {...place} />
      ))}
    </Plot>
  );
}
