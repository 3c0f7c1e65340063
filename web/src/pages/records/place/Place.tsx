import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { GeoPoint } from './point';

const PlaceMap = lazy(() => import('./PlaceMap'));

interface PlaceProps {
  label: string;
  value: GeoPoint;
  onChange?: (value: GeoPoint) => void;
}

/** The map, which is loaded when a place is first shown. */
export function Place(props: PlaceProps) {
  return (
    <Suspense fallback={<Skeleton style={{ aspectRatio: 2, maxWidth: 480 }} />}>
      <PlaceMap {...props} />
    </Suspense>
  );
}
