/** Places on the map: from where somebody clicks to a point, and which part is shown. */

export interface GeoPoint {
  lon: number;
  lat: number;
}

/** A part of the map, in degrees from its west and north. */
export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const ZOOMS = [1, 2, 4, 8];

/** Whether there is a point at all: PocketBase keeps none as 0, 0. */
export function isPlace({ lon, lat }: GeoPoint): boolean {
  return lon !== 0 || lat !== 0;
}

/** What is shown around a point; nothing beyond the edges. */
export function viewAround({ lon, lat }: GeoPoint, zoom: number): View {
  const width = 360 / zoom;
  const height = 180 / zoom;
  return {
    x: clamp(lon + 180 - width / 2, 0, 360 - width),
    y: clamp(90 - lat - height / 2, 0, 180 - height),
    width,
    height,
  };
}

/** The point at fractions of a view's width and height, as exactly as somebody can click. */
export function pointAt(view: View, across: number, down: number): GeoPoint {
  const digits = view.width > 100 ? 1 : 2;
  return {
    lon: rounded(view.x + across * view.width - 180, digits),
    lat: rounded(90 - view.y - down * view.height, digits),
  };
}

const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
/** How far an arrow key goes where the whole world is shown, in degrees. */
const STEP = 4;

/** Where an arrow key leads; null for another key. */
export function stepped({ lon, lat }: GeoPoint, key: string, zoom: number): GeoPoint | null {
  const step = STEPS[key];
  return step
    ? {
        lon: rounded(clamp(lon + (step[0] * STEP) / zoom, -180, 180), 6),
        lat: rounded(clamp(lat + (step[1] * STEP) / zoom, -90, 90), 6),
      }
    : null;
}

/** A point in words: 52.52° N, 13.405° E. */
export function placeText({ lon, lat }: GeoPoint): string {
  return `${Math.abs(lat)}° ${lat < 0 ? 'S' : 'N'}, ${Math.abs(lon)}° ${lon < 0 ? 'W' : 'E'}`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
