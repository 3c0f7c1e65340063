import { expect, test } from 'vitest';
import { isPlace, placeText, pointAt, stepped, viewAround } from './point';

const WORLD = viewAround({ lon: 0, lat: 0 }, 1);

test.each([
  [0, 0, { lon: -180, lat: 90 }],
  [0.5, 0.5, { lon: 0, lat: 0 }],
  [1, 1, { lon: 180, lat: -90 }],
  [0.537, 0.208, { lon: 13.3, lat: 52.6 }],
])('%d across and %d down the world', (across, down, expected) => {
  expect(pointAt(WORLD, across, down)).toEqual(expected);
});

test('a view stays inside of the map and has its point where it was', () => {
  const berlin = { lon: 13.4, lat: 52.5 };
  expect(pointAt(viewAround(berlin, 8), 0.5, 0.5)).toEqual(berlin);
  expect(viewAround({ lon: 180, lat: -90 }, 4)).toEqual({ x: 270, y: 135, width: 90, height: 45 });
});

test('arrow keys move a point, shorter ways in a larger scale, and not off the map', () => {
  expect(stepped({ lon: 10, lat: 10 }, 'ArrowLeft', 1)).toEqual({ lon: 6, lat: 10 });
  expect(stepped({ lon: 10, lat: 10 }, 'ArrowUp', 8)).toEqual({ lon: 10, lat: 10.5 });
  expect(stepped({ lon: 180, lat: 0 }, 'ArrowRight', 1)).toEqual({ lon: 180, lat: 0 });
  expect(stepped({ lon: 180, lat: 0 }, 'Enter', 1)).toBeNull();
});

test('points in words', () => {
  expect(placeText({ lon: 13.405, lat: 52.52 })).toBe('52.52° N, 13.405° E');
  expect(placeText({ lon: -70.7, lat: -33.4 })).toBe('33.4° S, 70.7° W');
  expect([isPlace({ lon: 0, lat: 0 }), isPlace({ lon: 0, lat: 1 })]).toEqual([false, true]);
});
