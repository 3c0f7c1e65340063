import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme, useMantineTheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import classes from './Chart.module.css';

const HEIGHT = 140;
/** Whole numbers, close enough for a chart of this height to find two that fit. */
const STEPS = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));
/** Bars of four fifths of their hour. */
const bars = UPlot.paths.bars?.({ size: [0.8, 40] });

interface ChartProps {
  label: string;
  /** Seconds and values. */
  data: [number[], number[]];
}

/** Bars over time. */
export default function Chart({ label, data }: ChartProps) {
  const { ref, width } = useElementSize();
  const holder = useRef<HTMLDivElement>(null);
  const theme = useMantineTheme();
  const scheme = useComputedColorScheme();
  const color = theme.colors.mito?.[5] ?? '#38ae86';
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew for another scheme
  useEffect(() => {
    const node = holder.current;
    if (!node || width === 0) {
      return;
    }
    const text = getComputedStyle(node).color;
    // A canvas knows no variables, but a border's colour is resolved.
    const line = getComputedStyle(node).borderTopColor;
    const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const chart = new UPlot(
      {
        width,
        height: HEIGHT,
        cursor: { y: false },
        legend: { live: true },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(max, 4)] } },
        axes: [axis, { ...axis, size: 44, incrs: STEPS }],
        series: [
          {},
          {
            label,
            fill: `${color}99`,
            stroke: color,
            points: { show: false },
            ...(bars ? { paths: bars } : {}),
          },
        ],
      },
      data,
      node,
    );
    return () => chart.destroy();
  }, [width, data, label, color, scheme]);
  return (
    <div ref={ref} style={{ minHeight: 170 }}>
      <div ref={holder} role="img" aria-label={`${label} in each hour`} className={classes.chart} />
    </div>
  );
}
