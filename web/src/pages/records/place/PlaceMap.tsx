import { ActionIcon, UnstyledButton } from '@mantine/core';
import { IconMinus, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import classes from './PlaceMap.module.css';
import { type GeoPoint, isPlace, placeText, pointAt, stepped, viewAround, ZOOMS } from './point';
import { LAND } from './world';

interface PlaceMapProps {
  label: string;
  value: GeoPoint;
  /** Left out where the place is only shown. */
  onChange?: (value: GeoPoint) => void;
}

/** A point on the map of the world, without a tile from elsewhere. */
export default function PlaceMap({ label, value, onChange }: PlaceMapProps) {
  const [level, setLevel] = useState(0);
  const zoom = ZOOMS[level] ?? 1;
  const view = viewAround(value, zoom);
  const where = isPlace(value) ? placeText(value) : 'no place yet';
  const map = (
    <svg
      className={classes.map}
      viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
      role="img"
      aria-label={`${label}: ${where}`}
    >
      <path className={classes.land} d={LAND} transform="scale(0.5)" />
      <path className={classes.line} d={GRATICULE} />
      {isPlace(value) && (
        <circle className={classes.point} cx={value.lon + 180} cy={90 - value.lat} r={4.5 / zoom} />
      )}
    </svg>
  );
  return (
    <div className={classes.frame}>
      {onChange ? (
        <UnstyledButton
          className={classes.target}
          aria-label={`${label} on the map: ${where}. Click to choose a place, or move it with the arrow keys.`}
          onClick={(event) => {
            // Enter and Space click as well, but nowhere.
            if (event.detail > 0) {
              const box = event.currentTarget.getBoundingClientRect();
              const across = (event.clientX - box.left) / box.width;
              onChange(pointAt(view, across, (event.clientY - box.top) / box.height));
            }
          }}
          onKeyDown={(event) => {
            const next = stepped(value, event.key, zoom);
            if (next) {
              event.preventDefault();
              onChange(next);
            }
          }}
        >
          {map}
        </UnstyledButton>
      ) : (
        map
      )}
      <ActionIcon.Group className={classes.zoom}>
        <ActionIcon
          variant="default"
          size="sm"
          aria-label="Show more of the map"
          disabled={level === 0}
          onClick={() => setLevel(level - 1)}
        >
          <IconMinus size={14} />
        </ActionIcon>
        <ActionIcon
          variant="default"
          size="sm"
          aria-label="Show the map larger"
          disabled={level === ZOOMS.length - 1}
          onClick={() => setLevel(level + 1)}
        >
          <IconPlus size={14} />
        </ActionIcon>
      </ActionIcon.Group>
    </div>
  );
}

/** Meridians and parallels, each thirty degrees. */
const GRATICULE = [
  ...Array.from({ length: 11 }, (_, at) => `M${(at + 1) * 30} 0v180`),
  ...Array.from({ length: 5 }, (_, at) => `M0 ${(at + 1) * 30}h360`),
].join('');
