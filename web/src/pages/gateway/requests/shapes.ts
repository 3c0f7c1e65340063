/** Shapes of small plots, in the units of their drawing. */

export const WIDTH = 300;
export const HEIGHT = 72;

/** A round number that is not below any of the values. */
export function ceiling(values: (number | null)[]): number {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  if (most === 0) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= most) ?? 10;
  return step * power;
}

function x(index: number, count: number): number {
  return round((index / Math.max(1, count - 1)) * WIDTH);
}

function y(value: number, max: number): number {
  return round(HEIGHT - (value / max) * HEIGHT);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Runs of values that are known, as the places of their points. */
function runs(values: (number | null)[], max: number): [number, number][][] {
  const found: [number, number][][] = [];
  let run: [number, number][] = [];
  for (const [index, value] of values.entries()) {
    if (value !== null) {
      run.push([x(index, values.length), y(value, max)]);
    } else if (run.length > 0) {
      found.push(run);
      run = [];
    }
  }
  return run.length > 0 ? [...found, run] : found;
}

/** A line through the values, broken where nothing is known. */
export function linePath(values: (number | null)[], max: number): string {
  return runs(values, max)
    .map((run) => {
      const [first] = run;
      // A single point has no length to be seen by.
      const points =
        run.length === 1 && first
          ? [
              [first[0] - 1.5, first[1]],
              [first[0] + 1.5, first[1]],
            ]
          : run;
      return `M${points.map((point) => point.join(' ')).join('L')}`;
    })
    .join('');
}

/** The area below that line. */
export function areaPath(values: (number | null)[], max: number): string {
  return runs(values, max)
    .map((run) => {
      const start = run[0]?.[0] ?? 0;
      const end = run.at(-1)?.[0] ?? 0;
      return `M${start} ${HEIGHT}L${run.map((point) => point.join(' ')).join('L')}L${end} ${HEIGHT}Z`;
    })
    .join('');
}

export interface Block {
  key: string;
  /** Which of the stacked series it belongs to. */
  series: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Values stacked on one another, a column for each step. */
export function stack(columns: number[][], max: number): Block[] {
  const width = WIDTH / Math.max(1, columns.length);
  return columns.flatMap((values, column) => {
    let below = 0;
    return values.flatMap((value, series) => {
      const top = y(below + value, max);
      const height = round(y(below, max) - top);
      below += value;
      const place = { x: round(column * width), y: top, width: round(width * 0.8), height };
      return value > 0 ? [{ key: `${column} ${series}`, series, ...place }] : [];
    });
  });
}
